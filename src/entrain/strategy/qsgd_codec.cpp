#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "entrain/core/seeds.h"
#include "entrain/strategy/block_codec.h"

namespace entrain {
namespace {

class Qsgd : public BlockCodec {
 public:
  Qsgd(std::int64_t s, std::int64_t bucket) : s_(s), bucket_(bucket) {}
  std::int64_t block() const override { return bucket_; }
  std::int64_t bytes(std::int64_t columns, std::int64_t) const override {
    return columns + 4 * ((columns + bucket_ - 1) / bucket_);
  }
  void encode(float* v, std::int64_t n, std::int64_t first, const Draw& draw,
              std::uint8_t* c) const override {
    encode_as(v, n, first, draw, c);
  }
  void encode(double* v, std::int64_t n, std::int64_t first, const Draw& draw,
              std::uint8_t* c) const override {
    encode_as(v, n, first, draw, c);
  }
  void decode(const std::uint8_t* c, std::int64_t n, float* v) const override {
    decode_as(c, n, v);
  }
  void decode(const std::uint8_t* c, std::int64_t n, double* v) const override {
    decode_as(c, n, v);
  }

 private:
  double value(double norm, int level) const { return norm * level / static_cast<double>(s_); }

  template <class T>
  void encode_as(T* values, std::int64_t count, std::int64_t first, const Draw& draw,
                 std::uint8_t* code) const {
    std::vector<double> numbers(std::min(bucket_, count));
    for (std::int64_t at = 0; at < count; at += bucket_) {
      const std::int64_t width = std::min(bucket_, count - at);
      draw.uniforms(first + at, width, numbers.data());
      double squares = 0;
      for (std::int64_t j = at; j < at + width; ++j) {
        squares += static_cast<double>(values[j]) * values[j];
      }
      const auto norm = static_cast<float>(std::sqrt(squares));
      std::memcpy(code, &norm, sizeof norm);
      code += 4;
      for (std::int64_t j = at; j < at + width; ++j) {
        int level = 0;
        if (norm > 0) {
          const double r =
              static_cast<double>(s_) * std::abs(static_cast<double>(values[j])) / norm;
          level = static_cast<int>(std::min(std::floor(r), static_cast<double>(s_)));
          if (level < s_ && numbers[j - at] < r - level) ++level;
        }
        const bool negative = values[j] < 0;
        const double decoded = value(norm, level);
        *code++ = static_cast<std::uint8_t>(negative ? -level : level);
        values[j] -= static_cast<T>(negative ? -decoded : decoded);
      }
    }
  }

  template <class T>
  void decode_as(const std::uint8_t* code, std::int64_t count, T* values) const {
    for (std::int64_t at = 0; at < count; at += bucket_) {
      float norm = 0;
      std::memcpy(&norm, code, sizeof norm);
      code += 4;
      for (std::int64_t j = at; j < std::min(count, at + bucket_); ++j) {
        const auto level = static_cast<std::int8_t>(*code++);
        const double size = value(norm, std::abs(level));
        values[j] = static_cast<T>(level < 0 ? -size : size);
      }
    }
  }

  std::int64_t s_, bucket_;
};

}  // namespace

double Draw::uniform(std::int64_t column) const {
  const auto words = philox(seed, {static_cast<std::uint32_t>(column / 4), worker, round, 0});
  return (words[column % 4] + 0.5) * 0x1p-32;
}

void Draw::uniforms(std::int64_t first, std::int64_t count, double* numbers) const {
  std::array<std::uint32_t, 4> words = {};
  std::int64_t group = -1;
  for (std::int64_t j = 0; j < count; ++j) {
    const std::int64_t column = first + j;
    if (column / 4 != group) {
      group = column / 4;
      words = philox(seed, {static_cast<std::uint32_t>(group), worker, round, 0});
    }
    numbers[j] = (words[column % 4] + 0.5) * 0x1p-32;
  }
}

BlockCodecPtr qsgd_codec(std::int64_t s, std::int64_t bucket) {
  return std::make_shared<Qsgd>(s, bucket);
}

}  // namespace entrain
