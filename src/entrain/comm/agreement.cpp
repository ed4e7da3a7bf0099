#include "entrain/comm/agreement.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Texts may hold any byte, so each goes behind its length.
std::string encode(const Facts& facts) {
  std::string bytes;
  for (const auto& [name, text] : facts) bytes += fmt::format("{}:{}", text.size(), text);
  return bytes;
}

std::vector<std::string> decode(const std::string& bytes) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t colon = bytes.find(':', at);
    ENTRAIN_CHECK(colon != std::string::npos);
    const std::size_t length = std::stoull(bytes.substr(at, colon - at));
    texts.push_back(bytes.substr(colon + 1, length));
    at = colon + 1 + length;
  }
  return texts;
}

}  // namespace

void check_agreement(Communicator& comm, const Facts& facts) {
  const std::vector<std::string> all = comm.gather(encode(facts));
  const std::vector<std::string> first = decode(all[0]);
  for (std::size_t rank = 1; rank < all.size(); ++rank) {
    const std::vector<std::string> other = decode(all[rank]);
    if (other.size() != first.size() || other.size() != facts.size()) {
      throw CommunicationError(fmt::format(
          "rank 0 and rank {} compare {} and {} settings: they run different versions of entrain",
          rank, first.size(), other.size()));
    }
    for (std::size_t i = 0; i < facts.size(); ++i) {
      if (first[i] == other[i]) continue;
      throw CommunicationError(
          fmt::format("rank 0 and rank {} differ in {}: '{}' and '{}'; start all ranks with the "
                      "same configuration",
                      rank, facts[i].first, first[i], other[i]));
    }
  }
}

}  // namespace entrain
