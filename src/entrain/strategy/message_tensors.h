#pragma once

#include "entrain/strategy/layout.h"
#include "entrain/strategy/row_codec.h"

namespace entrain {

/// The tensors of a message: where they lie in it, and as which matrices.
struct MessageTensors {
  struct Matrix {
    std::int64_t begin, rows, columns;  ///< Contiguous, row after row.
  };
  std::vector<Span> spans;
  std::vector<Matrix> matrices;  ///< Of spans with two dimensions or more.
  std::int64_t columns = 0;      ///< Padding included.
};

/// The tensors of a message that is these columns of a row, put together.
MessageTensors tensors_of(const Layout& layout, const std::vector<Span>& columns);

/// One tensor of `items` numbers, as near to a square as they allow: where no layout is known.
MessageTensors square_tensor(std::int64_t items);

}  // namespace entrain
