#include "entrain/strategy/block_codec.h"

#include <c10/util/Half.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "entrain/core/vectorised.h"

namespace entrain {
namespace {

constexpr std::int64_t kBlock = 256;  // of the codecs with a scale

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

template <class T>
constexpr int mantissa_bits() {
  return sizeof(T) == 4 ? 23 : 52;
}

// Adding and taking away 1.5 x 2^mantissa rounds to the nearest whole number, ties to even.
template <class T>
[[gnu::always_inline]] inline T nearest_whole(T x) {
  constexpr int places = mantissa_bits<T>() - 1;
  constexpr T shift = static_cast<T>(Bits<T>{3} << places);
  return (x + shift) - shift;
}

// By the bits, as these have the order of the magnitudes and vectorise.
template <class T>
[[gnu::always_inline]] inline T absmax(const T* values, std::int64_t count) {
  constexpr Bits<T> sign = Bits<T>{1} << (8 * sizeof(T) - 1);
  Bits<T> largest = 0;
  for (std::int64_t j = 0; j < count; ++j) {
    largest = std::max<Bits<T>>(largest, std::bit_cast<Bits<T>>(values[j]) & ~sign);
  }
  return std::bit_cast<T>(largest);
}

[[gnu::always_inline]] inline std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const bool nan = (bits & 0x7fffffff) > 0x7f800000;
  return static_cast<std::uint16_t>(nan ? (bits >> 16) | 0x40 : rounded);
}

[[gnu::always_inline]] inline float from_bf16(std::uint16_t code) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(code) << 16);
}

template <class T>
[[gnu::always_inline]] inline void encode_bf16(T* __restrict values, std::int64_t count,
                                               std::uint8_t* __restrict code) {
  auto* out = reinterpret_cast<std::uint16_t*>(code);
  for (std::int64_t j = 0; j < count; ++j) {
    const std::uint16_t one = to_bf16(static_cast<float>(values[j]));
    out[j] = one;
    values[j] -= static_cast<T>(from_bf16(one));
  }
}

template <class T>
[[gnu::always_inline]] inline void decode_bf16(const std::uint8_t* __restrict code,
                                               std::int64_t count, T* __restrict values) {
  const auto* in = reinterpret_cast<const std::uint16_t*>(code);
  for (std::int64_t j = 0; j < count; ++j) values[j] = static_cast<T>(from_bf16(in[j]));
}

// A block of scaled whole numbers from -most to most, a byte each.
template <class T>
[[gnu::always_inline]] inline void quantise(T* __restrict values, std::int64_t count, T most,
                                            std::int8_t* __restrict numbers, float& scale) {
  scale = static_cast<float>(absmax(values, count) / most);
  const T unit = static_cast<T>(scale);
  if (unit == 0) {
    std::fill_n(numbers, count, std::int8_t{0});
    return;
  }
  for (std::int64_t j = 0; j < count; ++j) {
    const T number = std::max(-most, std::min(most, nearest_whole(values[j] / unit)));
    numbers[j] = static_cast<std::int8_t>(number);
    values[j] -= number * unit;
  }
}

// E3M0 in bits alone, which vectorises. The code of a magnitude in units of the scale is the
// exponent of the nearest power of two, ties to the even code; 0 up to 1/2.
template <class T>
[[gnu::always_inline]] inline Bits<T> power_code(T magnitude) {
  constexpr int mantissa = mantissa_bits<T>();
  constexpr int bias = sizeof(T) == 4 ? 126 : 1022;
  constexpr Bits<T> half = (Bits<T>{1} << (mantissa - 1)) - 1;
  const auto bits = std::bit_cast<Bits<T>>(magnitude);
  const auto exponent = static_cast<std::make_signed_t<Bits<T>>>(
      (bits + half + ((bits >> mantissa) & 1)) >> mantissa);
  const std::make_signed_t<Bits<T>> least = magnitude > static_cast<T>(0.5);
  const std::make_signed_t<Bits<T>> most = 7;
  return static_cast<Bits<T>>(std::max(least, std::min(most, exponent - bias)));
}

template <class T>
[[gnu::always_inline]] inline Bits<T> power_bits(Bits<T> code) {
  constexpr Bits<T> bias = sizeof(T) == 4 ? 126 : 1022;
  const Bits<T> any = Bits<T>{0} - static_cast<Bits<T>>(code != 0);  // all ones, or none
  return ((code + bias) << mantissa_bits<T>()) & any;
}

template <class T>
[[gnu::always_inline]] inline void quantise_powers(T* __restrict values, std::int64_t count,
                                                   std::int8_t* __restrict codes, float& scale) {
  constexpr int sign_bit = 8 * sizeof(T) - 1;
  scale = static_cast<float>(absmax(values, count) / 64);
  const T unit = static_cast<T>(scale);
  if (unit == 0) {
    std::fill_n(codes, count, std::int8_t{0});
    return;
  }
  for (std::int64_t j = 0; j < count; ++j) {
    const Bits<T> sign = std::bit_cast<Bits<T>>(values[j]) >> sign_bit << sign_bit;
    const T size = std::bit_cast<T>(std::bit_cast<Bits<T>>(values[j]) ^ sign);
    const Bits<T> code = power_code(size / unit);
    codes[j] = static_cast<std::int8_t>(code | (sign >> (sign_bit - 3)));
    values[j] -= std::bit_cast<T>(power_bits<T>(code) | sign) * unit;
  }
}

// The first half of a block goes into the low halves of the bytes, the second into the high ones.
[[gnu::always_inline]] inline void pack(const std::int8_t* __restrict codes, std::int64_t count,
                                        std::uint8_t* __restrict bytes) {
  const std::int64_t half = (count + 1) / 2;
  for (std::int64_t j = 0; j < count - half; ++j) {
    bytes[j] = static_cast<std::uint8_t>((codes[j] & 15) | (codes[j + half] << 4));
  }
  if (count % 2 != 0) bytes[half - 1] = static_cast<std::uint8_t>(codes[half - 1] & 15);
}

[[gnu::always_inline]] inline void unpack(const std::uint8_t* __restrict bytes, std::int64_t count,
                                          std::int8_t* __restrict codes) {
  const std::int64_t half = (count + 1) / 2;
  for (std::int64_t j = 0; j < half; ++j) codes[j] = static_cast<std::int8_t>(bytes[j] & 15);
  for (std::int64_t j = half; j < count; ++j) {
    codes[j] = static_cast<std::int8_t>(bytes[j - half] >> 4);
  }
}

// A block is its scale and then its codes.
enum class Scaled { int8, int4, fp4 };

constexpr std::int64_t code_bytes(Scaled form, std::int64_t count) {
  return form == Scaled::int8 ? count : (count + 1) / 2;
}

template <Scaled form, class T>
[[gnu::always_inline]] inline void encode_scaled(T* __restrict values, std::int64_t count,
                                                 std::uint8_t* __restrict code) {
  for (std::int64_t at = 0; at < count; at += kBlock) {
    const std::int64_t width = std::min(kBlock, count - at);
    std::int8_t numbers[kBlock];
    float scale = 0;
    if constexpr (form == Scaled::int8) {
      quantise(values + at, width, T{127}, reinterpret_cast<std::int8_t*>(code + 4), scale);
    } else if constexpr (form == Scaled::int4) {
      quantise(values + at, width, T{7}, numbers, scale);
      pack(numbers, width, code + 4);
    } else {
      quantise_powers(values + at, width, numbers, scale);
      pack(numbers, width, code + 4);
    }
    std::memcpy(code, &scale, sizeof scale);
    code += 4 + code_bytes(form, width);
  }
}

template <Scaled form, class T>
[[gnu::always_inline]] inline void decode_scaled(const std::uint8_t* __restrict code,
                                                 std::int64_t count, T* __restrict values) {
  for (std::int64_t at = 0; at < count; at += kBlock) {
    const std::int64_t width = std::min(kBlock, count - at);
    float scale = 0;
    std::memcpy(&scale, code, sizeof scale);
    const T unit = static_cast<T>(scale);
    std::int8_t numbers[kBlock];
    if constexpr (form == Scaled::int8) {
      std::memcpy(numbers, code + 4, width);
    } else {
      unpack(code + 4, width, numbers);
    }
    for (std::int64_t j = 0; j < width; ++j) {
      if constexpr (form == Scaled::fp4) {
        const auto code = static_cast<Bits<T>>(numbers[j]);
        const Bits<T> sign = (code & 8) << (8 * sizeof(T) - 4);
        values[at + j] = std::bit_cast<T>(power_bits<T>(code & 7) | sign) * unit;
      } else if constexpr (form == Scaled::int4) {
        values[at + j] = static_cast<T>((numbers[j] ^ 8) - 8) * unit;  // the sign bit of four
      } else {
        values[at + j] = static_cast<T>(numbers[j]) * unit;
      }
    }
    code += 4 + code_bytes(form, width);
  }
}

ENTRAIN_VECTORISED void bf16_encode(float* v, std::int64_t n, std::uint8_t* c) {
  encode_bf16(v, n, c);
}
ENTRAIN_VECTORISED void bf16_decode(const std::uint8_t* c, std::int64_t n, float* v) {
  decode_bf16(c, n, v);
}
ENTRAIN_VECTORISED void int8_encode(float* v, std::int64_t n, std::uint8_t* c) {
  encode_scaled<Scaled::int8>(v, n, c);
}
ENTRAIN_VECTORISED void int8_decode(const std::uint8_t* c, std::int64_t n, float* v) {
  decode_scaled<Scaled::int8>(c, n, v);
}
ENTRAIN_VECTORISED void int4_encode(float* v, std::int64_t n, std::uint8_t* c) {
  encode_scaled<Scaled::int4>(v, n, c);
}
ENTRAIN_VECTORISED void int4_decode(const std::uint8_t* c, std::int64_t n, float* v) {
  decode_scaled<Scaled::int4>(c, n, v);
}
ENTRAIN_VECTORISED void fp4_encode(float* v, std::int64_t n, std::uint8_t* c) {
  encode_scaled<Scaled::fp4>(v, n, c);
}
ENTRAIN_VECTORISED void fp4_decode(const std::uint8_t* c, std::int64_t n, float* v) {
  decode_scaled<Scaled::fp4>(c, n, v);
}

class Raw : public BlockCodec {
 public:
  std::int64_t block() const override { return 16; }
  std::int64_t bytes(std::int64_t columns, std::int64_t item) const override {
    return columns * item;
  }
  void encode(float* v, std::int64_t n, std::int64_t, const Draw&, std::uint8_t* c) const override {
    std::memcpy(c, v, n * sizeof *v);
    std::fill_n(v, n, 0.0F);
  }
  void encode(double* v, std::int64_t n, std::int64_t, const Draw&,
              std::uint8_t* c) const override {
    std::memcpy(c, v, n * sizeof *v);
    std::fill_n(v, n, 0.0);
  }
  void decode(const std::uint8_t* c, std::int64_t n, float* v) const override {
    std::memcpy(v, c, n * sizeof *v);
  }
  void decode(const std::uint8_t* c, std::int64_t n, double* v) const override {
    std::memcpy(v, c, n * sizeof *v);
  }
};

class Bf16 : public BlockCodec {
 public:
  std::int64_t block() const override { return 16; }
  std::int64_t bytes(std::int64_t columns, std::int64_t) const override { return 2 * columns; }
  void encode(float* v, std::int64_t n, std::int64_t, const Draw&, std::uint8_t* c) const override {
    bf16_encode(v, n, c);
  }
  void encode(double* v, std::int64_t n, std::int64_t, const Draw&,
              std::uint8_t* c) const override {
    encode_bf16(v, n, c);
  }
  void decode(const std::uint8_t* c, std::int64_t n, float* v) const override {
    bf16_decode(c, n, v);
  }
  void decode(const std::uint8_t* c, std::int64_t n, double* v) const override {
    decode_bf16(c, n, v);
  }
};

template <class T>
void encode_half(T* values, std::int64_t count, std::uint8_t* code) {
  auto* out = reinterpret_cast<std::uint16_t*>(code);
  for (std::int64_t j = 0; j < count; ++j) {
    out[j] = c10::detail::fp16_ieee_from_fp32_value(static_cast<float>(values[j]));
    values[j] -= static_cast<T>(c10::detail::fp16_ieee_to_fp32_value(out[j]));
  }
}

template <class T>
void decode_half(const std::uint8_t* code, std::int64_t count, T* values) {
  const auto* in = reinterpret_cast<const std::uint16_t*>(code);
  for (std::int64_t j = 0; j < count; ++j) {
    values[j] = static_cast<T>(c10::detail::fp16_ieee_to_fp32_value(in[j]));
  }
}

#if defined(__x86_64__)
// The processor's own conversion, where it has one; the same bits.
__attribute__((target("avx,f16c"))) std::int64_t encode_half_f16c(float* values, std::int64_t count,
                                                                  std::uint8_t* code) {
  std::int64_t j = 0;
  for (; j + 8 <= count; j += 8) {
    const __m256 eight = _mm256_loadu_ps(values + j);
    const __m128i half = _mm256_cvtps_ph(eight, _MM_FROUND_TO_NEAREST_INT);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(code + 2 * j), half);
    _mm256_storeu_ps(values + j, _mm256_sub_ps(eight, _mm256_cvtph_ps(half)));
  }
  return j;
}

__attribute__((target("avx,f16c"))) std::int64_t decode_half_f16c(const std::uint8_t* code,
                                                                  std::int64_t count,
                                                                  float* values) {
  std::int64_t j = 0;
  for (; j + 8 <= count; j += 8) {
    const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(code + 2 * j));
    _mm256_storeu_ps(values + j, _mm256_cvtph_ps(half));
  }
  return j;
}

const bool kHasF16c = __builtin_cpu_supports("avx2");  // all that have it have the conversion
#else
constexpr bool kHasF16c = false;
std::int64_t encode_half_f16c(float*, std::int64_t, std::uint8_t*) { return 0; }
std::int64_t decode_half_f16c(const std::uint8_t*, std::int64_t, float*) { return 0; }
#endif

class Fp16 : public BlockCodec {
 public:
  std::int64_t block() const override { return 16; }
  std::int64_t bytes(std::int64_t columns, std::int64_t) const override { return 2 * columns; }
  void encode(float* v, std::int64_t n, std::int64_t, const Draw&, std::uint8_t* c) const override {
    const std::int64_t done = kHasF16c ? encode_half_f16c(v, n, c) : 0;
    encode_half(v + done, n - done, c + 2 * done);
  }
  void encode(double* v, std::int64_t n, std::int64_t, const Draw&,
              std::uint8_t* c) const override {
    encode_half(v, n, c);
  }
  void decode(const std::uint8_t* c, std::int64_t n, float* v) const override {
    const std::int64_t done = kHasF16c ? decode_half_f16c(c, n, v) : 0;
    decode_half(c + 2 * done, n - done, v + done);
  }
  void decode(const std::uint8_t* c, std::int64_t n, double* v) const override {
    decode_half(c, n, v);
  }
};

template <Scaled form>
class ScaledCodec : public BlockCodec {
 public:
  std::int64_t block() const override { return kBlock; }
  std::int64_t bytes(std::int64_t columns, std::int64_t) const override {
    return columns / kBlock * (4 + code_bytes(form, kBlock)) +
           (columns % kBlock ? 4 + code_bytes(form, columns % kBlock) : 0);
  }
  void encode(float* v, std::int64_t n, std::int64_t, const Draw&, std::uint8_t* c) const override {
    form == Scaled::int8   ? int8_encode(v, n, c)
    : form == Scaled::int4 ? int4_encode(v, n, c)
                           : fp4_encode(v, n, c);
  }
  void encode(double* v, std::int64_t n, std::int64_t, const Draw&,
              std::uint8_t* c) const override {
    encode_scaled<form>(v, n, c);
  }
  void decode(const std::uint8_t* c, std::int64_t n, float* v) const override {
    form == Scaled::int8   ? int8_decode(c, n, v)
    : form == Scaled::int4 ? int4_decode(c, n, v)
                           : fp4_decode(c, n, v);
  }
  void decode(const std::uint8_t* c, std::int64_t n, double* v) const override {
    decode_scaled<form>(c, n, v);
  }
};

}  // namespace

BlockCodecPtr raw_codec() { return std::make_shared<Raw>(); }
BlockCodecPtr bf16_codec() { return std::make_shared<Bf16>(); }
BlockCodecPtr fp16_codec() { return std::make_shared<Fp16>(); }
BlockCodecPtr int8_codec() { return std::make_shared<ScaledCodec<Scaled::int8>>(); }
BlockCodecPtr int4_codec() { return std::make_shared<ScaledCodec<Scaled::int4>>(); }
BlockCodecPtr fp4_codec() { return std::make_shared<ScaledCodec<Scaled::fp4>>(); }

}  // namespace entrain
