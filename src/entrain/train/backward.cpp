#include "entrain/train/backward.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <limits>

namespace entrain {

struct Backward::Progress {
  std::vector<std::int64_t> columns;  // at which each tensor begins
  std::vector<bool> done = {};
  std::size_t first_final = 0;  // from this tensor on all are done
  std::int64_t told = 0;        // the column that was told last
  std::function<void(std::int64_t)> final_from;
  bool running = false;

  void begin() {
    done.assign(columns.size(), false);
    first_final = columns.size();
    told = std::numeric_limits<std::int64_t>::max();
    running = true;
  }

  void is_done(std::size_t tensor) {
    if (!running) return;  // a plain backward() of the caller's
    done[tensor] = true;
    if (tensor + 1 != first_final) return;
    while (first_final > 0 && done[first_final - 1]) --first_final;
    if (columns[first_final] == told) return;  // a tensor without elements
    told = columns[first_final];
    final_from(told);
  }
};

namespace {

// Called after a gradient was added to its tensor.
class AfterAccumulation : public torch::autograd::FunctionPostHook {
 public:
  explicit AfterAccumulation(std::function<void()> tell) : tell_(std::move(tell)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    tell_();
    return outputs;
  }

 private:
  std::function<void()> tell_;
};

}  // namespace

Backward::Backward(const std::vector<NamedTensor>& trained,
                   std::function<void(std::int64_t)> final_from)
    : progress_(std::make_shared<Progress>()) {
  progress_->final_from = std::move(final_from);
  const Layout layout = Layout::of(trained);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    progress_->columns.push_back(layout.entries[i].offset);
    // Held, as the tensor itself does not keep it alive.
    const auto node = torch::autograd::impl::grad_accumulator(trained[i].tensor);
    const auto key = node->add_post_hook(std::make_unique<AfterAccumulation>(
        [progress = progress_.get(), i] { progress->is_done(i); }));
    unhook_.push_back([node, key] { node->del_post_hook(key); });
  }
}

Backward::Backward(Backward&&) noexcept = default;

Backward::~Backward() {
  for (const auto& unhook : unhook_) unhook();
}

void Backward::operator()(const at::Tensor& loss) {
  progress_->begin();
  try {
    loss.backward();
  } catch (...) {
    progress_->running = false;
    throw;
  }
  progress_->running = false;
}

}  // namespace entrain
