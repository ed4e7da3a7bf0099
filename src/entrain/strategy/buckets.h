#pragma once

#include <optional>
#include <vector>

#include "entrain/strategy/layout.h"
#include "entrain/strategy/row_codec.h"

namespace entrain {

/// The columns of a layout in parts of whole tensors, the last first, as backward makes gradients
/// final: each of at least `least_bytes`, but for the one that is left at the front. One part if
/// there is no least.
std::vector<Span> buckets_of(const Layout& layout, std::optional<std::int64_t> least_bytes);

}  // namespace entrain
