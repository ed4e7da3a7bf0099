#include "entrain/strategy/parameters_hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <memory>

#include "entrain/core/errors.h"

namespace entrain {

std::uint64_t row_hash(const Rows& rows, std::int64_t row) {
  std::vector<const Layout::Entry*> entries;
  for (const Layout::Entry& entry : rows.layout().entries) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_64bits_reset(state.get());
  const at::Tensor& x = rows.parameters();
  const auto* bytes = static_cast<const char*>(x.data_ptr()) + row * x.stride(0) * x.element_size();
  for (const Layout::Entry* entry : entries) {
    XXH3_64bits_update(state.get(), bytes + entry->offset * x.element_size(),
                       entry->items * x.element_size());
  }
  return XXH3_64bits_digest(state.get());
}

std::string text_hash(std::string_view text) {
  return fmt::format("{:016x}", XXH3_64bits(text.data(), text.size()));
}

std::string parameters_hash(const Rows& rows, Communicator& comm) {
  std::string own;
  for (std::int64_t row = 0; row < rows.workers(); ++row) {
    XXH64_canonical_t bytes;
    XXH64_canonicalFromHash(&bytes, row_hash(rows, row));
    own.append(reinterpret_cast<const char*>(bytes.digest), sizeof bytes.digest);
  }
  std::string all;
  for (const std::string& hashes : comm.gather(own)) all += hashes;
  return text_hash(all);
}

std::string layout_hash(const Layout& layout) {
  std::string text;
  for (const Layout::Entry& entry : layout.entries) {
    text += fmt::format("{}[{}]\n", entry.name, fmt::join(entry.sizes, ","));
  }
  return text_hash(text);
}

}  // namespace entrain
