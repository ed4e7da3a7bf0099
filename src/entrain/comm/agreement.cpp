#include "entrain/comm/agreement.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr char kEnd = '\0';

std::string text_of(const std::string& all, std::size_t index) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < index && begin != std::string::npos; ++i)
    begin = all.find(kEnd, begin) + 1;
  return all.substr(begin, all.find(kEnd, begin) - begin);
}

}  // namespace

void check_agreement(Communicator& comm, const Facts& facts) {
  std::string own;
  for (const auto& [name, text] : facts) own += text + kEnd;
  const std::vector<std::string> all = comm.gather(own);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    for (std::size_t i = 0; i < facts.size(); ++i) {
      const std::string first = text_of(all[0], i), other = text_of(all[rank], i);
      if (first == other) continue;
      throw CommunicationError(
          fmt::format("rank 0 and rank {} differ in {}: '{}' and '{}'; start all ranks with the "
                      "same configuration",
                      rank, facts[i].first, first, other));
    }
  }
}

}  // namespace entrain
