#include "entrain/strategy/layout.h"

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

std::vector<std::size_t> trained_tensors(const std::vector<NamedTensor>& model) {
  std::vector<std::size_t> trained;
  std::set<const void*> seen;
  for (std::size_t i = 0; i < model.size(); ++i) {
    const at::Tensor& tensor = model[i].tensor;
    if (tensor.requires_grad() && seen.insert(tensor.unsafeGetTensorImpl()).second) {
      trained.push_back(i);
    }
  }
  return trained;
}

Layout Layout::of(const std::vector<NamedTensor>& model) {
  Layout layout;
  const std::vector<std::size_t> trained = trained_tensors(model);
  if (trained.empty()) throw UsageError("the model has no parameter that asks for a gradient");
  layout.type = model[trained[0]].tensor.scalar_type();
  for (const std::size_t i : trained) {
    const at::Tensor& tensor = model[i].tensor;
    const at::ScalarType type = tensor.scalar_type();
    if ((type != at::kFloat && type != at::kDouble) || type != layout.type) {
      throw UsageError(
          fmt::format("parameter '{}' is {}: all parameters must be float32, or all float64; keep "
                      "masters in float32 and use autocast for less",
                      model[i].name, c10::toString(type)));
    }
    layout.entries.push_back(entry_of(model[i], layout.columns));
    layout.parameters += tensor.numel();
    const std::int64_t border = kBorder / static_cast<std::int64_t>(tensor.element_size());
    layout.columns += (tensor.numel() + border - 1) / border * border;
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
