#pragma once

#include <cstdint>
#include <memory>

namespace entrain {

/// Where random codecs take their numbers from: Philox4x32-10 with the seed of the run as key, and
/// the counter (column / 4, worker, round).
struct Draw {
  std::uint64_t seed = 1;
  std::uint32_t worker = 0;
  std::uint32_t round = 0;

  /// From 0 to 1, both excluded.
  double uniform(std::int64_t column) const;
  /// Those of `count` columns from `first` on.
  void uniforms(std::int64_t first, std::int64_t count, double* numbers) const;
};

/// Codes a row in blocks of columns, each block by itself, so that a share of a row that begins at
/// a block's border can be coded alone. Computes in the type of the values; no state.
class BlockCodec {
 public:
  virtual ~BlockCodec() = default;

  virtual std::int64_t block() const = 0;  ///< Columns.
  /// Of `columns` columns from a block's border on, whose numbers have `item` bytes.
  virtual std::int64_t bytes(std::int64_t columns, std::int64_t item) const = 0;

  /// Codes `columns` values that begin at column `first` of the row, and leaves in `values` what
  /// the code does not say: value - decoded.
  virtual void encode(float* values, std::int64_t columns, std::int64_t first, const Draw& draw,
                      std::uint8_t* code) const = 0;
  virtual void encode(double* values, std::int64_t columns, std::int64_t first, const Draw& draw,
                      std::uint8_t* code) const = 0;
  virtual void decode(const std::uint8_t* code, std::int64_t columns, float* values) const = 0;
  virtual void decode(const std::uint8_t* code, std::int64_t columns, double* values) const = 0;
};

using BlockCodecPtr = std::shared_ptr<const BlockCodec>;

/// The values themselves.
BlockCodecPtr raw_codec();

/// bfloat16 and IEEE half precision, rounded to the nearest, ties to even.
BlockCodecPtr bf16_codec();
BlockCodecPtr fp16_codec();

/// Blocks of 256 with one float32 scale = absmax / 127 (/ 7), numbers rounded to the nearest, ties
/// to even: the error is at most scale / 2.
BlockCodecPtr int8_codec();
BlockCodecPtr int4_codec();

/// E3M0: blocks of 256 with one float32 scale = absmax / 64, magnitudes 0, 1, 2, 4, ..., 64 times
/// the scale, the nearest, ties to the even code (Douillard et al. 2025 send outer gradients so).
BlockCodecPtr fp4_codec();

/// Buckets with one float32 norm: norm sign(v) l / s, with l up or down at random so that the mean
/// is v (Alistarh et al. 2017). 1 <= s <= 127.
BlockCodecPtr qsgd_codec(std::int64_t s, std::int64_t bucket);

}  // namespace entrain
