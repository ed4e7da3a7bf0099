#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace entrain {

/// Labelled images as they are stored: row i of `inputs` goes with row i of `labels`.
struct Samples {
  at::Tensor inputs;  // uint8 [N, C, H, W], contiguous
  at::Tensor labels;  // int64 [N], each in [0, classes)
};

/// A data set in memory. Immutable once loaded, so that any number of threads may read it.
struct Dataset {
  std::string name;
  Samples train, test;
  int classes = 0;
  std::vector<double> mean, deviation;  // per channel, of pixel / 255 over the training samples
  std::vector<std::string> warnings;    // for the user: what is odd about the files, but no error
};

/// What a model is fed with.
struct Batch {
  at::Tensor inputs;  // float or double [b, C, H, W]: (pixel / 255 - mean) / deviation
  at::Tensor labels;  // int64 [b]
};

/// Copies the samples at `indices` into a normalised batch, in their order; one pass over memory.
/// Safe from several threads at once. `samples` is a part of `dataset`.
/// REQUIRES: every index in [0, N); dtype is at::kFloat or at::kDouble.
Batch gather(const Dataset& dataset, const Samples& samples, std::span<const std::int64_t> indices,
             at::ScalarType dtype);

/// A file of a data set, and its name in the data set's own folder.
struct SourceFile {
  std::filesystem::path path;
  std::string name;
};

/// A data set that can be named; `dataset_table` has one for each. `from` is a folder that holds
/// its files or, where one archive holds them all, that archive.
struct DatasetEntry {
  std::string name;
  std::string summary;
  std::vector<std::string> downloads;  // the files to fetch; empty: the data set needs no files
  std::vector<std::string> places;     // URLs of folders that hold them: official, then mirrors
  // The files that `load` reads. Throws DataError, which names what is missing.
  std::function<std::vector<SourceFile>(const std::filesystem::path& from)> files;
  std::function<Dataset(const std::filesystem::path& from)> load;

  bool needs_files() const { return !downloads.empty(); }
};

/// Every data set of entrain, in the order in which lists show them.
const std::vector<DatasetEntry>& dataset_table();

/// Throws UsageError, with a suggestion, if no data set has this name.
const DatasetEntry& dataset_entry(const std::string& name);

/// Loads data set `name` from `<root>/<name>/`. Throws UsageError for an unknown name, DataError
/// for files that are missing or broken.
Dataset load_dataset(const std::string& name, const std::filesystem::path& root);

}  // namespace entrain
