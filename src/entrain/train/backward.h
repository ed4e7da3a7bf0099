#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "entrain/strategy/layout.h"

namespace entrain {

/// backward() that tells how far it has come, so that gradients are exchanged while it still runs.
class Backward {
 public:
  /// `trained`: trained_tensors() of a model whose row has Layout::of(trained). `final_from` is
  /// told the first column from which on all gradients are final, whenever that falls; on the
  /// thread of backward (for the processor that is the caller's).
  Backward(const std::vector<NamedTensor>& trained,
           std::function<void(std::int64_t column)> final_from);
  ~Backward();
  Backward(Backward&&) noexcept;

  /// loss.backward(). Throws what that and `final_from` throw.
  void operator()(const at::Tensor& loss);

 private:
  struct Progress;
  std::shared_ptr<Progress> progress_;
  std::vector<std::function<void()>> unhook_;
};

}  // namespace entrain
