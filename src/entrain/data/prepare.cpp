#include "entrain/data/prepare.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <system_error>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"
#include "entrain/data/dataset.h"
#include "entrain/data/download.h"
#include "entrain/data/libsvm_sets.h"
#include "entrain/data/partial_folder.h"

namespace entrain {
namespace {

using std::filesystem::path;

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

/// The data set that occupies `target`.
Dataset load_present(const DatasetEntry& entry, const path& target) {
  try {
    return entry.load(target);
  } catch (const DataError& error) {
    cannot_replace(target, fmt::format("is there already and is no complete {} ({})", entry.name,
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
      cannot_replace(target,
                     fmt::format("is there already, with other samples than {}", from.string()));
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

}  // namespace

void require_preparable(const std::string& name) {
  std::vector<std::string> known;
  for (const DatasetEntry& entry : dataset_table()) known.push_back(entry.name);
  for (const LibsvmSet& set : libsvm_table()) known.push_back(set.name);
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw UsageError(
      fmt::format("no data set is called '{}'{}", excerpt(name), suggestion(name, known)));
}

PrepareReport prepare_dataset(const std::string& name, const path& root, const path& from) {
  require_preparable(name);
  if (const LibsvmSet* set = libsvm_set(name)) return prepare_libsvm(*set, root, from);
  const DatasetEntry& entry = dataset_entry(name);
  if (!entry.needs_files()) return nothing_needed(entry);
  return lay_out(entry, root / name, from);
}

PrepareReport download_dataset(const std::string& name, const path& root) {
  require_preparable(name);
  if (const LibsvmSet* set = libsvm_set(name)) return download_libsvm(*set, root);
  const DatasetEntry& entry = dataset_entry(name);
  if (!entry.needs_files()) return nothing_needed(entry);
  const path target = root / name;
  if (occupied(target)) {
    if (!load_present(entry, target).warnings.empty())
      cannot_replace(target,
                     fmt::format("is there already, and not with the official files of {}", name));
    return {target,
            false,
            fmt::format("{} is in {} already: nothing to do", name, target.string()),
            {}};
  }
  const PartialFolder downloads(root / (name + "-download"));
  for (const std::string& file : entry.downloads)
    download_file(name, entry.places, file, downloads.location());
  return lay_out(entry, target, downloads.location());
}

}  // namespace entrain
