#include "entrain/comm/pieces.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <iterator>

#include "entrain/core/errors.h"

namespace entrain {

std::vector<Piece> pieces_of(const std::vector<Piece>& pieces, int peer) {
  std::vector<Piece> own;
  std::ranges::copy_if(pieces, std::back_inserter(own),
                       [peer](const Piece& piece) { return piece.peer == peer; });
  return own;
}

void copy_own(const Step& step, int rank) {
  const std::vector<Piece> from = pieces_of(step.out, rank), to = pieces_of(step.in, rank);
  ENTRAIN_CHECK(from.size() == to.size());
  for (std::size_t k = 0; k < to.size(); ++k) to[k].values.copy_(from[k].values);
}

}  // namespace entrain
