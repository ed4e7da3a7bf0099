#include "entrain/data/libsvm_sets.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/data/download.h"
#include "entrain/data/libsvm.h"
#include "entrain/data/partial_folder.h"
#include "entrain/data/reader.h"

namespace entrain {
namespace {

bool equal_rows(const LinearData& a, const LinearData& b) {
  return a.features == b.features && at::equal(a.offsets, b.offsets) &&
         at::equal(a.columns, b.columns) && at::equal(a.values, b.values) &&
         at::equal(a.labels, b.labels);
}

std::filesystem::path file_in(const std::filesystem::path& from, const LibsvmSet& set) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(from, ignored)) return from;
  if (const auto found = plain_or_gz(from, set.name)) return *found;
  throw DataError(fmt::format("{0}: neither {0} nor {0}.gz is in {1}; give the file, or its folder",
                              set.name, from.string()));
}

// The largest index of a test set may be less than the number of features.
std::vector<std::string> warnings_of(const std::filesystem::path& file, const LinearData& data,
                                     const LibsvmSet& set) {
  if (data.samples == set.samples && data.features <= set.features) return {};
  return {fmt::format("{}: {} samples and {} features, where the published set has {} and {}",
                      file.string(), data.samples, data.features, set.samples, set.features)};
}

PrepareReport present(const std::filesystem::path& file, const LibsvmSet& set,
                      const LinearData& data) {
  return {file.parent_path(), false,
          fmt::format("{} is in {} already: nothing to do", set.name, file.parent_path().string()),
          warnings_of(file, data, set)};
}

void place_file(const std::filesystem::path& from, const std::filesystem::path& target) {
  const PartialFolder partial(target);
  std::error_code error;
  std::filesystem::copy_file(from, partial.location() / target.filename(), error);
  if (!error) std::filesystem::rename(partial.location() / target.filename(), target, error);
  if (error) cannot_write(target, error);
}

}  // namespace

const std::vector<LibsvmSet>& libsvm_table() {
  static const std::vector<LibsvmSet> table{
      {"a9a", "income of adults, binary features", 32'561, 123},
      {"a9a.t", "the test set of a9a", 16'281, 123},
      {"w8a", "web pages, binary features, 3 % positive", 49'749, 300},
      {"mushrooms", "edible or not, linearly separable", 8'124, 112},
      {"phishing", "web sites, honest or not", 11'055, 68},
      {"heart_scale", "heart disease, in [-1, 1]", 270, 13},
      {"german.numer_scale", "credit risks, in [-1, 1]", 1'000, 24},
  };
  return table;
}

const LibsvmSet* libsvm_set(const std::string& name) {
  const auto& table = libsvm_table();
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const LibsvmSet& set) { return set.name == name; });
  return found == table.end() ? nullptr : &*found;
}

PrepareReport prepare_libsvm(const LibsvmSet& set, const std::filesystem::path& root,
                             const std::filesystem::path& from) {
  const std::filesystem::path source = file_in(from, set), folder = root / "libsvm";
  const LinearData data = read_libsvm(source);
  if (const auto there = plain_or_gz(folder, set.name)) {
    if (equal_rows(read_libsvm(*there), data)) return present(*there, set, data);
    cannot_replace(*there,
                   fmt::format("is there already, with other samples than {}", source.string()));
  }
  place_file(source, folder / (set.name + (source.extension() == ".gz" ? ".gz" : "")));
  return {folder, true,
          fmt::format("{} is in {}: {} samples, {} features", set.name, folder.string(),
                      data.samples, data.features),
          warnings_of(source, data, set)};
}

PrepareReport download_libsvm(const LibsvmSet& set, const std::filesystem::path& root) {
  if (const auto there = plain_or_gz(root / "libsvm", set.name))
    return present(*there, set, read_libsvm(*there));
  const PartialFolder downloads(root / (set.name + "-download"));
  download_file(set.name, {std::string(official_libsvm_sets)}, set.name, downloads.location());
  return prepare_libsvm(set, root, downloads.location());
}

}  // namespace entrain
