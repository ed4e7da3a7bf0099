#include "entrain/data/prepare.h"

#include <ATen/ATen.h>

#include <system_error>

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/data/curl.h"
#include "entrain/data/dataset.h"

namespace entrain {
namespace {

using std::filesystem::path;

[[noreturn]] void cannot_write(const path& where, const std::error_code& error) {
  throw RunError(fmt::format("{}: cannot be written: {}", where.string(), error.message()));
}

/// A new folder beside `target`, removed with all it holds unless it becomes `target`.
class PartialFolder {
 public:
  explicit PartialFolder(const path& target) {
    std::error_code error;
    std::filesystem::create_directories(target.parent_path(), error);
    // Another process may be at the same; the first number that is free is ours.
    for (int number = 0; !error; ++number) {
      path_ =
          target.parent_path() / fmt::format(".{}.partial-{}", target.filename().string(), number);
      if (std::filesystem::create_directory(path_, error)) return;
    }
    cannot_write(target.parent_path(), error);
  }
  ~PartialFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  const path& location() const { return path_; }

  void become(const path& target) {
    std::error_code error;
    std::filesystem::rename(path_, target, error);
    if (error) cannot_write(target, error);
  }

 private:
  path path_;
};

PrepareReport nothing_needed(const DatasetEntry& entry) {
  return {{}, false, fmt::format("{} needs no files: it is made in memory", entry.name), {}};
}

bool same(const Samples& a, const Samples& b) {
  return at::equal(a.inputs, b.inputs) && at::equal(a.labels, b.labels);
}

/// True if something is at `target`; an empty folder is nothing.
bool occupied(const path& target) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(target, ignored))) return false;
  return !std::filesystem::is_directory(target, ignored) ||
         !std::filesystem::is_empty(target, ignored);
}

[[noreturn]] void refuse(const path& target, const std::string& why) {
  throw DataError(
      fmt::format("{}: {}; it is left as it is: move it away, or choose another data.root, and try "
                  "again",
                  target.string(), why));
}

/// The data set that occupies `target`.
Dataset load_present(const DatasetEntry& entry, const path& target) {
  try {
    return entry.load(target);
  } catch (const DataError& error) {
    refuse(target, fmt::format("is there already and is no complete {} ({})", entry.name,
                               std::string(error.what())));
  }
}

void copy_all(const std::vector<SourceFile>& files, const path& folder) {
  for (const SourceFile& file : files) {
    std::error_code error;
    std::filesystem::copy_file(file.path, folder / file.name, error);
    if (error) cannot_write(folder / file.name, error);
  }
}

PrepareReport lay_out(const DatasetEntry& entry, const path& target, const path& from) {
  const std::vector<SourceFile> files = entry.files(from);
  const Dataset dataset = entry.load(from);
  if (occupied(target)) {
    const Dataset present = load_present(entry, target);
    if (!same(present.train, dataset.train) || !same(present.test, dataset.test))
      refuse(target, fmt::format("is there already, with other samples than {}", from.string()));
    return {target, false,
            fmt::format("{} is in {} already, with the same samples: nothing to do", entry.name,
                        target.string()),
            present.warnings};
  }
  PartialFolder partial(target);
  copy_all(files, partial.location());
  partial.become(target);
  return {target, true,
          fmt::format("{} is in {}: {} + {} samples", entry.name, target.string(),
                      dataset.train.labels.numel(), dataset.test.labels.numel()),
          dataset.warnings};
}

void download_file(const DatasetEntry& entry, const std::string& file, const path& folder) {
  std::string failures;
  for (const std::string& place : entry.places) {
    const std::string url = place + file;
    const std::string failure = curl(url, folder / file);
    if (failure.empty()) return;
    if (interrupted())
      throw Interrupted(
          fmt::format("{}: the download was interrupted; nothing is left of it", entry.name));
    failures += fmt::format("\n  {}: {}", url, failure);
  }
  throw DataError(
      fmt::format("{0}: {1} could not be downloaded:{2}\nGet the files by other means and run "
                  "`entrain data prepare {0} --from PATH`",
                  entry.name, file, failures));
}

}  // namespace

PrepareReport prepare_dataset(const std::string& name, const path& root, const path& from) {
  const DatasetEntry& entry = dataset_entry(name);
  if (!entry.needs_files()) return nothing_needed(entry);
  return lay_out(entry, root / name, from);
}

PrepareReport download_dataset(const std::string& name, const path& root) {
  const DatasetEntry& entry = dataset_entry(name);
  if (!entry.needs_files()) return nothing_needed(entry);
  const path target = root / name;
  if (occupied(target)) {
    if (!load_present(entry, target).warnings.empty())
      refuse(target, fmt::format("is there already, and not with the official files of {}", name));
    return {target,
            false,
            fmt::format("{} is in {} already: nothing to do", name, target.string()),
            {}};
  }
  const PartialFolder downloads(root / (name + "-download"));
  for (const std::string& file : entry.downloads) download_file(entry, file, downloads.location());
  return lay_out(entry, target, downloads.location());
}

}  // namespace entrain
