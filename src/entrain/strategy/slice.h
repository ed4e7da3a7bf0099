#pragma once

#include "entrain/core/text.h"
#include "entrain/strategy/layout.h"
#include "entrain/strategy/row_codec.h"

namespace entrain {

/// Which columns of the rows a round exchanges: the whole model, or one of `of` fragments of it.
/// Fragments are whole layers (tensors whose names agree up to the last dot): neighbouring ones, or
/// strided, every of-th (Streaming DiLoCo, Douillard et al. 2025).
struct Slice {
  Value text = call("all");
  std::int64_t index = 0, of = 1;
  bool strided = true;

  bool whole() const { return of == 1; }
};

/// Fragment `index` (from 0) of `of`. Throws UsageError unless 0 <= index < of.
Slice fragment(std::int64_t index, std::int64_t of, bool strided = true);

/// The columns of a slice, padding included; those of all fragments are all columns, each once.
/// Throws UsageError if there are fewer layers than fragments.
std::vector<Span> columns_of(const Slice& slice, const Layout& layout);

const std::vector<Choice<Slice>>& slice_choices();

}  // namespace entrain
