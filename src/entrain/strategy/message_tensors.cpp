#include "entrain/strategy/message_tensors.h"

#include <cmath>

namespace entrain {

MessageTensors tensors_of(const Layout& layout, const std::vector<Span>& columns) {
  MessageTensors tensors;
  for (const Span& span : columns) {
    for (const Layout::Entry& entry : layout.entries) {
      if (entry.offset < span.begin || entry.offset >= span.begin + span.count) continue;
      const std::int64_t begin = tensors.columns + entry.offset - span.begin;
      tensors.spans.push_back({begin, entry.items});
      if (entry.sizes.size() < 2 || entry.items == 0) continue;
      tensors.matrices.push_back({begin, entry.sizes[0], entry.items / entry.sizes[0]});
    }
    tensors.columns += span.count;
  }
  return tensors;
}

MessageTensors square_tensor(std::int64_t items) {
  const auto side = static_cast<std::int64_t>(std::sqrt(static_cast<double>(items)));
  return {{{0, items}}, {{0, side, side}}, items};
}

}  // namespace entrain
