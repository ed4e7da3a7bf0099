#include "entrain/train/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>

#include <cmath>

#include "entrain/core/errors.h"
#include "entrain/core/vectorised.h"

namespace entrain {
namespace {

template <class T>
struct SgdFactors {
  T lr, momentum, undamped, weight_decay;
  bool nesterov;
};

template <class T>
[[gnu::always_inline]] inline void plain_step(T* __restrict x, T* __restrict g, std::int64_t items,
                                              const SgdFactors<T>& f) {
  for (std::int64_t j = 0; j < items; ++j) {
    x[j] -= f.lr * (g[j] + f.weight_decay * x[j]);
    g[j] = 0;
  }
}

template <class T>
[[gnu::always_inline]] inline void momentum_step(T* __restrict x, T* __restrict g,
                                                 T* __restrict buffer, std::int64_t items,
                                                 const SgdFactors<T>& f) {
  for (std::int64_t j = 0; j < items; ++j) {
    const T d = g[j] + f.weight_decay * x[j];
    const T b = f.momentum * buffer[j] + f.undamped * d;
    buffer[j] = b;
    x[j] -= f.lr * (f.nesterov ? d + f.momentum * b : b);
    g[j] = 0;
  }
}

ENTRAIN_VECTORISED void sgd_kernel(float* x, float* g, float* buffer, std::int64_t items,
                                   const SgdFactors<float>& f) {
  buffer ? momentum_step(x, g, buffer, items, f) : plain_step(x, g, items, f);
}

ENTRAIN_VECTORISED void sgd_kernel(double* x, double* g, double* buffer, std::int64_t items,
                                   const SgdFactors<double>& f) {
  buffer ? momentum_step(x, g, buffer, items, f) : plain_step(x, g, items, f);
}

class Sgd : public Optimizer {
 public:
  Sgd(Rows& rows, Team& team, const SgdOptions& options)
      : Optimizer(options.lr), rows_(rows), team_(team), options_(options) {
    if (options.momentum != 0) buffers_ = at::zeros_like(rows.gradients());
  }

  void step() override {
    rows_.verify();  // a gradient that moved would be taken for zero
    AT_DISPATCH_FLOATING_TYPES(rows_.layout().type, "sgd", [&] { step_as<scalar_t>(); });
    first_ = false;
  }

  OptimizerState state() override {
    OptimizerState state;
    if (buffers_.defined()) state.buffers = {buffers_};
    state.reset = [this] {
      if (buffers_.defined()) buffers_.zero_();
      first_ = true;
    };
    return state;
  }

 private:
  template <class T>
  void step_as() {
    // The first buffer is the gradient itself, undamped: torch's rule.
    const SgdFactors<T> factors = {static_cast<T>(lr()), static_cast<T>(options_.momentum),
                                   static_cast<T>(first_ ? 1 : 1 - options_.dampening),
                                   static_cast<T>(options_.weight_decay), options_.nesterov};
    const std::int64_t items = rows_.layout().columns;
    const std::int64_t stride = rows_.parameters().stride(0);  // BatchNorm's buffers lie behind
    T* x = rows_.parameters().data_ptr<T>();
    T* g = rows_.gradients().data_ptr<T>();
    T* buffers = buffers_.defined() ? buffers_.data_ptr<T>() : nullptr;
    team_.each(static_cast<int>(rows_.workers()), [&](int i) {
      const std::int64_t at = i * items;
      sgd_kernel(x + i * stride, g + at, buffers ? buffers + at : nullptr, items, factors);
    });
  }

  Rows& rows_;
  Team& team_;
  SgdOptions options_;
  at::Tensor buffers_;  // [w, S]
  bool first_ = true;
};

void require_at_least_zero(const char* name, double value) {
  if (!(value >= 0) || std::isinf(value)) {
    throw UsageError(fmt::format("sgd: {} = {}: must be a number >= 0", name, print_number(value)));
  }
}

void validate(const SgdOptions& options) {
  require_at_least_zero("lr", options.lr);
  require_at_least_zero("momentum", options.momentum);
  require_at_least_zero("dampening", options.dampening);
  require_at_least_zero("weight_decay", options.weight_decay);
  if (options.nesterov && (options.momentum == 0 || options.dampening != 0)) {
    throw UsageError("sgd: nesterov = true needs momentum > 0 and dampening = 0");
  }
}

}  // namespace

std::unique_ptr<Optimizer> sgd(Rows& rows, Team& team, const SgdOptions& options) {
  validate(options);
  return std::make_unique<Sgd>(rows, team, options);
}

const std::vector<Choice<MakeOptimizer>>& optimizer_choices() {
  static const std::vector<Choice<MakeOptimizer>> choices = {
      {"sgd",
       {{"lr"},
        {"momentum", "0"},
        {"dampening", "0"},
        {"weight_decay", "0"},
        {"nesterov", "false"}},
       "stochastic gradient descent, as torch::optim::SGD",
       [](const Arguments& a) -> MakeOptimizer {
         const SgdOptions options = {a.real("lr"), a.real("momentum"), a.real("dampening"),
                                     a.real("weight_decay"), a.boolean("nesterov")};
         validate(options);
         return [options](Rows& rows, Team& team) { return sgd(rows, team, options); };
       }}};
  return choices;
}

MakeOptimizer build_optimizer(const Value& value, const RunFacts& facts) {
  return build(optimizer_choices(), value, "optimizer", facts);
}

}  // namespace entrain
