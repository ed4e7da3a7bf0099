#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace torch::nn {
class Module;
}

namespace entrain {

/// Sets the running mean and variance of every BatchNorm in `module` to their averages over
/// `batches`, each passed through `forward` once without gradients. Leaves the module in the mode
/// in which it was. Nothing is passed through a module without BatchNorm.
void recalibrate_batch_norm(torch::nn::Module& module, const std::vector<at::Tensor>& batches,
                            const std::function<void(const at::Tensor&)>& forward);

}  // namespace entrain
