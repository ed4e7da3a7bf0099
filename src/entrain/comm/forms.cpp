#include "entrain/comm/forms.h"

#include <ATen/ATen.h>

#include "entrain/comm/lost_peer.h"
#include "entrain/core/errors.h"

namespace entrain {

// Each rank says by a message of fixed size what it is about to do. A rank for which the form is
// not new does not come here, but looks into the store when it has waited long (watch.h).
void Forms::agree(const std::string& form, std::int64_t number,
                  const std::function<void(const Wait&)>& finish) {
  using Clock = std::chrono::steady_clock;
  if (agreed_.contains(form) || place_.size == 1) return;
  store_.declare(place_.rank, number, form);
  const auto own =
      static_cast<std::int64_t>(std::hash<std::string>()(fmt::format("{} {}", number, form)));
  std::vector<std::vector<at::Tensor>> all(1);
  for (int other = 0; other < place_.size; ++other) all[0].push_back(at::empty({1}, at::kLong));
  std::vector<at::Tensor> message = {at::full({1}, own, at::kLong)};
  finish([this, number, &form, wait = waiter(group_->allgather(all, message)),
          next_look =
              Clock::now() + std::chrono::seconds(1)](std::chrono::milliseconds slice) mutable {
    if (wait(slice)) return true;
    if (Clock::now() < next_look) return false;
    next_look += std::chrono::seconds(1);
    refuse_other(form, number);
    return false;
  });
  for (const at::Tensor& hash : all[0]) {
    if (hash.item<std::int64_t>() == own) continue;
    refuse_other(form, number);
    throw CommunicationError(
        fmt::format("rank {} is at exchange {} ({}), and another rank is not: all ranks must make "
                    "the same exchanges in the same order",
                    place_.rank, number, form));
  }
  agreed_.insert(form);
}

void Forms::refuse_other(const std::string& form, std::int64_t number) {
  const auto other = store_.other_form(place_.size, number, form);
  if (other) refuse_other_form(number, place_.rank, form, other->first, other->second);
}

}  // namespace entrain
