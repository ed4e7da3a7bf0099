#include "entrain/strategy/buckets.h"

#include <c10/core/ScalarType.h>

namespace entrain {

std::vector<Span> buckets_of(const Layout& layout, std::optional<std::int64_t> least_bytes) {
  std::vector<Span> buckets;
  std::int64_t end = layout.columns;
  const auto item = static_cast<std::int64_t>(c10::elementSize(layout.type));
  for (auto entry = layout.entries.rbegin(); entry != layout.entries.rend(); ++entry) {
    const std::int64_t begin = entry->offset;
    const bool full = least_bytes && (end - begin) * item >= *least_bytes;
    if (begin == end || (!full && begin > 0)) continue;
    buckets.push_back({begin, end - begin});
    end = begin;
  }
  return buckets;
}

}  // namespace entrain
