#include "entrain/data/sampler.h"

#include <algorithm>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {

Sampler::Sampler(std::vector<std::vector<std::int64_t>> shards, std::int64_t batch,
                 std::uint64_t seed)
    : shards_(std::move(shards)), batch_(batch), seed_(seed), orders_(shards_.size()) {
  if (batch < 1) throw UsageError(fmt::format("batch = {}: must be at least 1", batch));
  ENTRAIN_CHECK(!shards_.empty());
  const auto [smallest, largest] =
      std::minmax_element(shards_.begin(), shards_.end(),
                          [](const auto& a, const auto& b) { return a.size() < b.size(); });
  ENTRAIN_CHECK(!smallest->empty() && largest->size() - smallest->size() <= 1);
  const auto size = static_cast<std::int64_t>(smallest->size());
  steps_per_epoch_ = size / batch + (size % batch != 0);
}

std::span<const std::int64_t> Sampler::batch(std::int64_t epoch, std::int64_t step,
                                             int worker) const {
  ENTRAIN_CHECK(worker >= 0 && worker < workers());
  ENTRAIN_CHECK(epoch >= 0 && step >= 0 && step < steps_per_epoch_);
  Order& order = orders_[worker];
  if (order.epoch != epoch) {
    order.samples = shards_[worker];
    Stream(seed_, Purpose::shuffle, epoch, worker).shuffle(order.samples);
    order.epoch = epoch;
  }
  const std::span<const std::int64_t> samples = order.samples;
  const std::size_t begin = step * batch_;
  return step + 1 < steps_per_epoch_ ? samples.subspan(begin, batch_) : samples.subspan(begin);
}

}  // namespace entrain
