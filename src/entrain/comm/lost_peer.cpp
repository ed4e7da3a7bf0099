#include "entrain/comm/lost_peer.h"

#include "entrain/core/errors.h"

namespace entrain {

std::string print_silence(std::chrono::milliseconds patience) {
  return fmt::format("no sign of life for {:g} s", std::chrono::duration<double>(patience).count());
}

std::string print_ranks(const std::set<int>& ranks) {
  return fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, ", "));
}

void refuse_other_form(std::int64_t number, int rank, const std::string& form, int other_rank,
                       const std::string& other_form) {
  throw CommunicationError(
      fmt::format("rank {} and rank {} differ in exchange {}: {} and {}; all ranks must make the "
                  "same exchanges in the same order",
                  rank, other_rank, number, form, other_form));
}

void refuse_without(int rank, std::int64_t number, const std::set<int>& others,
                    const std::string& why) {
  const std::string where = fmt::format("rank {} in exchange {}", rank, number);
  throw CommunicationError(
      others.empty()
          ? fmt::format("{}: the exchange failed though all ranks answer: {}", where, why)
          : fmt::format("{}: no word from {}: {}; see the output of {}", where, print_ranks(others),
                        why, others.size() == 1 ? "that process" : "those processes"));
}

}  // namespace entrain
