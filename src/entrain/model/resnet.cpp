#include "entrain/model/resnet.h"

#include <torch/torch.h>

#include "entrain/model/module_model.h"

namespace entrain {
namespace {

using torch::nn::BatchNorm2d;
using torch::nn::Conv2d;

// How a shortcut goes on where the shape changes.
enum class Shortcut {
  pad,         // every second pixel, new channels zero (He et al., option A)
  projection,  // a 1x1 convolution with BatchNorm (option B)
};

Conv2d conv3x3(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false));
}

class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride, Shortcut shortcut)
      : stride_(stride),
        added_channels_(out - in),
        conv1_(conv3x3(in, out, stride)),
        conv2_(conv3x3(out, out, 1)),
        norm1_(out),
        norm2_(out) {
    register_module("conv1", conv1_);
    register_module("norm1", norm1_);
    register_module("conv2", conv2_);
    register_module("norm2", norm2_);
    if (shortcut == Shortcut::projection && (stride != 1 || in != out)) {
      project_ = register_module(
          "project", Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)));
      project_norm_ = register_module("project_norm", BatchNorm2d(out));
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = norm2_(conv2_(at::relu(norm1_(conv1_(x)))));
    return at::relu(y + shortcut(x));
  }

 private:
  at::Tensor shortcut(const at::Tensor& x) {
    if (project_) return project_norm_(project_(x));
    if (stride_ == 1 && added_channels_ == 0) return x;
    const at::Tensor kept = x.slice(2, 0, x.size(2), stride_).slice(3, 0, x.size(3), stride_);
    return at::constant_pad_nd(
        kept, {0, 0, 0, 0, added_channels_ / 2, added_channels_ - added_channels_ / 2});
  }

  std::int64_t stride_, added_channels_;
  Conv2d conv1_, conv2_, project_{nullptr};
  BatchNorm2d norm1_, norm2_, project_norm_{nullptr};
};
TORCH_MODULE(Block);

// A stem, stages of blocks whose first halves the image from the second stage on, the mean over the
// image, a linear layer.
class ResNetImpl : public torch::nn::Module {
 public:
  ResNetImpl(const Task& task, const std::vector<std::int64_t>& channels, int blocks,
             Shortcut shortcut)
      : stem_(conv3x3(task.channels, channels[0], 1)),
        norm_(channels[0]),
        linear_(channels.back(), task.classes) {
    register_module("stem", stem_);
    register_module("norm", norm_);
    std::int64_t in = channels[0];
    for (std::size_t stage = 0; stage < channels.size(); ++stage) {
      for (int i = 0; i < blocks; ++i) {
        blocks_->push_back(Block(in, channels[stage], stage > 0 && i == 0 ? 2 : 1, shortcut));
        in = channels[stage];
      }
    }
    register_module("blocks", blocks_);
    register_module("linear", linear_);
    initialise();
  }

  at::Tensor forward(const at::Tensor& inputs) {
    at::Tensor x = at::relu(norm_(stem_(inputs)));
    x = blocks_->forward(x);
    return linear_(x.mean({2, 3}));
  }

 private:
  // He et al. 2015: normal, with the variance 2 / fan out.
  void initialise() {
    const torch::NoGradGuard no_grad;
    for (const auto& child : modules(false)) {
      if (auto* conv = child->as<torch::nn::Conv2dImpl>()) {
        torch::nn::init::kaiming_normal_(conv->weight, 0, torch::kFanOut, torch::kReLU);
      }
    }
  }

  Conv2d stem_;
  BatchNorm2d norm_;
  torch::nn::Sequential blocks_;
  torch::nn::Linear linear_;
};
TORCH_MODULE(ResNet);

}  // namespace

std::unique_ptr<Model> resnet20(const Task& task, at::ScalarType type) {
  return model_of(ResNet(task, std::vector<std::int64_t>{16, 32, 64}, 3, Shortcut::pad), type);
}

std::unique_ptr<Model> resnet18(const Task& task, at::ScalarType type) {
  return model_of(
      ResNet(task, std::vector<std::int64_t>{64, 128, 256, 512}, 2, Shortcut::projection), type);
}

}  // namespace entrain
