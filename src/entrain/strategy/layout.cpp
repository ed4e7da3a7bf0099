#include "entrain/strategy/layout.h"

#include <algorithm>
#include <set>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::int64_t kBorder = 64;  // bytes

Layout::Entry entry_of(const NamedTensor& named, std::int64_t offset) {
  const at::Tensor& tensor = named.tensor;
  Layout::Entry entry{named.name, offset, tensor.numel(), tensor.sizes().vec(), {}};
  // Channels-last weights keep their order; a view with holes becomes contiguous.
  entry.strides = tensor.is_non_overlapping_and_dense() ? tensor.strides().vec()
                                                        : tensor.contiguous().strides().vec();
  return entry;
}

}  // namespace

std::vector<NamedTensor> trained_tensors(const std::vector<NamedTensor>& model) {
  std::vector<NamedTensor> trained;
  std::set<const void*> seen;
  for (const NamedTensor& named : model) {
    if (named.tensor.requires_grad() && seen.insert(named.tensor.unsafeGetTensorImpl()).second) {
      trained.push_back(named);
    }
  }
  if (trained.empty()) throw UsageError("the model has no parameter that asks for a gradient");
  return trained;
}

std::vector<NamedTensor> floating_tensors(const std::vector<NamedTensor>& buffers) {
  std::vector<NamedTensor> floating;
  for (const NamedTensor& named : buffers) {
    if (named.tensor.defined() && named.tensor.is_floating_point()) floating.push_back(named);
  }
  return floating;
}

Layout Layout::of(const std::vector<NamedTensor>& tensors) {
  Layout layout;
  if (!tensors.empty()) layout.type = tensors[0].tensor.scalar_type();
  for (const NamedTensor& named : tensors) {
    const at::ScalarType type = named.tensor.scalar_type();
    if ((type != at::kFloat && type != at::kDouble) || type != layout.type) {
      throw UsageError(
          fmt::format("'{}' is {}: all parameters and floating buffers of a model must be float32, "
                      "or all float64; keep "
                      "masters in float32 and use autocast for less",
                      named.name, c10::toString(type)));
    }
    layout.entries.push_back(entry_of(named, layout.columns));
    layout.items += named.tensor.numel();
    const std::int64_t border = kBorder / static_cast<std::int64_t>(named.tensor.element_size());
    layout.columns += (named.tensor.numel() + border - 1) / border * border;
  }
  return layout;
}

bool Layout::operator==(const Layout& other) const {
  const auto same = [](const Entry& a, const Entry& b) {
    return a.name == b.name && a.offset == b.offset && a.sizes == b.sizes && a.strides == b.strides;
  };
  return type == other.type && std::equal(entries.begin(), entries.end(), other.entries.begin(),
                                          other.entries.end(), same);
}

}  // namespace entrain
