#include "entrain/data/dataset.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"
#include "entrain/data/cifar.h"
#include "entrain/data/glyphs.h"
#include "entrain/data/mnist.h"

namespace entrain {
namespace {

constexpr int pixel_values = 256;

/// [C, 256]: the normalised value of every pixel value in every channel.
template <class T>
std::vector<T> normalised_values(const Dataset& dataset) {
  std::vector<T> table;
  table.reserve(dataset.mean.size() * pixel_values);
  for (std::size_t channel = 0; channel < dataset.mean.size(); ++channel)
    for (int pixel = 0; pixel < pixel_values; ++pixel)
      table.push_back(
          static_cast<T>((pixel / 255.0 - dataset.mean[channel]) / dataset.deviation[channel]));
  return table;
}

/// The samples of a batch lie anywhere in memory: asks for the next one while this one is copied.
void fetch_ahead(const std::uint8_t* from, std::int64_t size) {
  constexpr std::int64_t cache_line = 64;
  for (std::int64_t i = 0; i < size; i += cache_line) __builtin_prefetch(from + i);
}

template <class T>
void gather_inputs(const Dataset& dataset, const at::Tensor& from,
                   std::span<const std::int64_t> indices, at::Tensor& to) {
  const std::vector<T> table = normalised_values<T>(dataset);
  const std::int64_t channels = from.size(1);
  const std::int64_t plane = from.size(2) * from.size(3), size = channels * plane;
  const std::uint8_t* pixels = from.data_ptr<std::uint8_t>();  // [N, C, H, W]
  T* out = to.data_ptr<T>();                                   // [b, C, H, W]
  for (std::size_t k = 0; k < indices.size(); ++k) {
    if (k + 1 < indices.size()) fetch_ahead(pixels + indices[k + 1] * size, size);
    const std::uint8_t* in = pixels + indices[k] * size;
    for (std::int64_t channel = 0; channel < channels; ++channel, in += plane, out += plane) {
      const T* value = table.data() + channel * pixel_values;
      for (std::int64_t i = 0; i < plane; ++i) out[i] = value[in[i]];
    }
  }
}

void check_gather(const Dataset& dataset, const Samples& samples,
                  std::span<const std::int64_t> indices) {
  const at::Tensor& inputs = samples.inputs;
  ENTRAIN_CHECK(inputs.dim() == 4 && inputs.scalar_type() == at::kByte && inputs.is_contiguous());
  ENTRAIN_CHECK(inputs.size(1) == static_cast<std::int64_t>(dataset.mean.size()));
  const std::int64_t count = inputs.size(0);
  ENTRAIN_CHECK(std::all_of(indices.begin(), indices.end(),
                            [count](std::int64_t index) { return index >= 0 && index < count; }));
}

}  // namespace

Batch gather(const Dataset& dataset, const Samples& samples, std::span<const std::int64_t> indices,
             at::ScalarType dtype) {
  check_gather(dataset, samples, indices);
  ENTRAIN_CHECK(dtype == at::kFloat || dtype == at::kDouble);
  std::vector<std::int64_t> shape = samples.inputs.sizes().vec();
  shape[0] = static_cast<std::int64_t>(indices.size());
  Batch batch{at::empty(shape, dtype), at::empty({shape[0]}, at::kLong)};
  if (dtype == at::kFloat)
    gather_inputs<float>(dataset, samples.inputs, indices, batch.inputs);
  else
    gather_inputs<double>(dataset, samples.inputs, indices, batch.inputs);
  const std::int64_t* labels = samples.labels.data_ptr<std::int64_t>();
  std::transform(indices.begin(), indices.end(), batch.labels.data_ptr<std::int64_t>(),
                 [labels](std::int64_t index) { return labels[index]; });
  return batch;
}

const std::vector<DatasetEntry>& dataset_table() {
  static const std::vector<DatasetEntry> table{
      {"glyphs",
       "ten drawn shapes, 28x28 grey, 10,000 + 2,000 samples; needs no files",
       {},
       {},
       [](const std::filesystem::path&) { return std::vector<SourceFile>{}; },
       [](const std::filesystem::path&) { return glyphs(); }},
      {"mnist",
       "handwritten digits, 28x28 grey, 60,000 + 10,000 samples",
       {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz"},
       {"https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/"},
       mnist_files,
       mnist},
      {"cifar10",
       "photographs of ten kinds of things, 32x32 colour, 50,000 + 10,000 samples",
       {"cifar-10-binary.tar.gz"},
       {"https://www.cs.toronto.edu/~kriz/"},
       cifar10_files,
       cifar10},
  };
  return table;
}

const DatasetEntry& dataset_entry(const std::string& name) {
  std::vector<std::string> known;
  for (const DatasetEntry& entry : dataset_table()) {
    if (entry.name == name) return entry;
    known.push_back(entry.name);
  }
  throw UsageError(fmt::format("no data set is called '{}'{}", name, suggestion(name, known)));
}

Dataset load_dataset(const std::string& name, const std::filesystem::path& root) {
  return dataset_entry(name).load(root / name);
}

}  // namespace entrain
