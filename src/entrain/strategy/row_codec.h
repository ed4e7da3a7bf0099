#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "entrain/strategy/block_codec.h"

namespace entrain {

/// The columns of one tensor in a row.
struct Span {
  std::int64_t begin, count;
};

/// Codes a row as a whole: which entries are sent, or with which scale, depends on all of it.
class RowCodec {
 public:
  virtual ~RowCodec() = default;

  virtual std::int64_t bytes(std::int64_t columns, const std::vector<Span>& tensors,
                             std::int64_t item) const = 0;
  /// Codes a row and leaves in `values` what the code does not say.
  virtual void encode(float* values, std::int64_t columns, const std::vector<Span>& tensors,
                      const Draw& draw, std::uint8_t* code) const = 0;
  virtual void encode(double* values, std::int64_t columns, const std::vector<Span>& tensors,
                      const Draw& draw, std::uint8_t* code) const = 0;
  /// Adds what the code of a row says, in the type of its numbers, to `sums`.
  virtual void add(const std::uint8_t* code, std::int64_t columns, const std::vector<Span>& tensors,
                   const Draw& draw, std::int64_t item, double* sums) const = 0;
};

using RowCodecPtr = std::shared_ptr<const RowCodec>;

/// The ceil(fraction x items) entries of largest magnitude, ties by the lower column, each with
/// its column (uint32).
RowCodecPtr top_k_codec(double fraction);

/// As many entries, drawn at random; the columns need not be sent. Not rescaled.
RowCodecPtr random_k_codec(double fraction);

/// A bit for the sign of each entry and one scale, the mean magnitude, a tensor (Karimireddy et al.
/// 2019). 0 counts as positive.
RowCodecPtr sign_codec();

}  // namespace entrain
