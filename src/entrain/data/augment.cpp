#include "entrain/data/augment.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

constexpr std::int64_t padding = 4;

template <class T>
void augment_inputs(at::Tensor& inputs, std::span<const std::int64_t> indices, std::uint64_t seed,
                    std::int64_t epoch) {
  const std::int64_t channels = inputs.size(1), height = inputs.size(2), width = inputs.size(3);
  const std::int64_t stride = width + 2 * padding;
  std::vector<T> padded((height + 2 * padding) * stride);  // its border stays 0
  T* plane = inputs.data_ptr<T>();
  for (const std::int64_t index : indices) {
    Stream stream(seed, Purpose::augment, epoch, index);
    const auto top = static_cast<std::int64_t>(stream.below(2 * padding + 1));
    const auto left = static_cast<std::int64_t>(stream.below(2 * padding + 1));
    const bool mirrored = stream.below(2) == 1;
    for (std::int64_t channel = 0; channel < channels; ++channel, plane += height * width) {
      for (std::int64_t y = 0; y < height; ++y)
        std::copy_n(plane + y * width, width, &padded[(y + padding) * stride + padding]);
      for (std::int64_t y = 0; y < height; ++y) {
        const T* row = &padded[(y + top) * stride + left];
        if (mirrored)
          std::reverse_copy(row, row + width, plane + y * width);
        else
          std::copy_n(row, width, plane + y * width);
      }
    }
  }
}

}  // namespace

void augment(Batch& batch, std::span<const std::int64_t> indices, std::uint64_t seed,
             std::int64_t epoch) {
  at::Tensor& inputs = batch.inputs;
  ENTRAIN_CHECK(inputs.dim() == 4 && inputs.is_contiguous());
  ENTRAIN_CHECK(inputs.size(0) == static_cast<std::int64_t>(indices.size()));
  ENTRAIN_CHECK(inputs.scalar_type() == at::kFloat || inputs.scalar_type() == at::kDouble);
  if (inputs.scalar_type() == at::kFloat)
    augment_inputs<float>(inputs, indices, seed, epoch);
  else
    augment_inputs<double>(inputs, indices, seed, epoch);
}

}  // namespace entrain
