#include "entrain/comm/lossless_code.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "entrain/core/errors.h"
#include "entrain/core/vectorised.h"

namespace entrain {
namespace {

template <class T>
using Word = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

// Holds a word wherever in a byte it begins.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 4, std::uint64_t, unsigned __int128>;

static_assert(std::endian::native == std::endian::little);

constexpr int kGroup = 64;        // numbers; `width` bits of each fill 8 width bytes
constexpr int kHead = 3;          // bytes before it
constexpr int kMostNarrowed = 6;  // bits that large differences may have more than the others

// All ones for a negative number, none for others.
template <class T>
[[gnu::always_inline]] inline T sign_of(T bits) {
  return static_cast<T>(static_cast<std::make_signed_t<T>>(bits) >> (8 * sizeof(T) - 1));
}

// The bits of a floating number as a signed whole number that rises with it; leads back, too.
template <class T>
[[gnu::always_inline]] inline T in_order(T bits) {
  return bits ^ (sign_of(bits) >> 1);
}

// Small where the two are close, whichever is larger (zigzag).
template <class T>
[[gnu::always_inline]] inline Word<T> difference(T value, T expected) {
  const Word<T> rise =
      in_order(std::bit_cast<Word<T>>(value)) - in_order(std::bit_cast<Word<T>>(expected));
  return (rise << 1) ^ sign_of(rise);
}

template <class T>
[[gnu::always_inline]] inline T value_of(Word<T> difference, T expected) {
  const Word<T> rise = (difference >> 1) ^ (Word<T>{0} - (difference & 1));
  return std::bit_cast<T>(in_order(in_order(std::bit_cast<Word<T>>(expected)) + rise));
}

template <class T>
constexpr Word<T> low_bits(int width) {
  return static_cast<Word<T>>((Wide<T>{1} << width) - 1);
}

// The low `width` bits of each of `count` numbers, one behind the other; returns the bytes.
template <class T>
[[gnu::always_inline]] inline std::int64_t pack(const Word<T>* numbers, int count, int width,
                                                std::uint8_t* code) {
  constexpr int word = 8 * sizeof(T);
  const Word<T> mask = low_bits<T>(width);
  std::uint8_t* at = code;
  Wide<T> waiting = 0;
  int bits = 0;
  for (int k = 0; k < count; ++k) {
    waiting |= static_cast<Wide<T>>(numbers[k] & mask) << bits;
    bits += width;
    if (bits < word) continue;
    std::memcpy(at, &waiting, sizeof(T));
    at += sizeof(T);
    waiting >>= word;
    bits -= word;
  }
  const int rest = (bits + 7) / 8;
  std::memcpy(at, &waiting, rest);
  return at + rest - code;
}

// `bytes` has room for a Wide behind the last number.
template <class T>
[[gnu::always_inline]] inline void unpack(const std::uint8_t* bytes, int count, int width,
                                          Word<T>* numbers) {
  const Word<T> mask = low_bits<T>(width);
  for (int k = 0; k < count; ++k) {
    Wide<T> bits;
    std::memcpy(&bits, bytes + k * width / 8, sizeof bits);
    numbers[k] = static_cast<Word<T>>(bits >> (k * width % 8)) & mask;
  }
}

// How the differences of a group are written: the low `width` bits of all, then the columns of
// those that have more, a byte each, and their `more` bits.
struct Form {
  int width = 0, larger = 0, more = 0;

  std::int64_t low_bytes() const { return width * kGroup / 8; }
  std::int64_t high_bytes() const { return (larger * more + 7) / 8; }
  std::int64_t bytes() const { return low_bytes() + larger + high_bytes(); }
};

// The shortest.
template <class T>
[[gnu::always_inline]] inline Form form_of_group(const Word<T>* differences, Word<T> any) {
  const int most = std::bit_width(any);
  Form best = {.width = most};
  for (int more = 1; more <= std::min(most, kMostNarrowed); ++more) {
    int larger = 0;
    for (int k = 0; k < kGroup; ++k) larger += (differences[k] >> (most - more)) != 0;
    const Form form = {most - more, larger, more};
    if (form.bytes() < best.bytes()) best = form;
  }
  return best;
}

template <class T>
[[gnu::always_inline]] inline std::int64_t encode(const T* values, const T* expected,
                                                  std::int64_t count, std::uint8_t* code) {
  std::uint8_t* at = code;
  Word<T> differences[kGroup] = {}, high[kGroup + 1];
  for (std::int64_t i = 0; i < count; i += kGroup) {
    const auto n = static_cast<int>(std::min<std::int64_t>(kGroup, count - i));
    std::fill(differences + n, differences + kGroup, Word<T>{0});
    Word<T> any = 0;
    for (int k = 0; k < n; ++k) {
      differences[k] = difference(values[i + k], expected[i + k]);
      any |= differences[k];
    }
    const Form form = form_of_group<T>(differences, any);
    *at++ = static_cast<std::uint8_t>(form.width);
    *at++ = static_cast<std::uint8_t>(form.larger);
    *at++ = static_cast<std::uint8_t>(form.more);
    at += pack<T>(differences, kGroup, form.width, at);
    if (form.larger == 0) continue;
    for (int k = 0, found = 0; found < form.larger; ++k) {
      high[found] = differences[k] >> form.width;
      at[found] = static_cast<std::uint8_t>(k);
      found += high[found] != 0;
    }
    at += form.larger;
    at += pack<T>(high, form.larger, form.more, at);
  }
  return at - code;
}

template <class T>
[[gnu::always_inline]] inline bool decode(const std::uint8_t* code, std::int64_t bytes,
                                          const T* expected, std::int64_t count, T* values) {
  const std::uint8_t* const end = code + bytes;
  std::uint8_t padded[kGroup * sizeof(T) + sizeof(Wide<T>)] = {};
  Word<T> differences[kGroup], high[kGroup];
  for (std::int64_t i = 0; i < count; i += kGroup) {
    if (end - code < kHead) return false;
    const Form form = {code[0], code[1], code[2]};
    code += kHead;
    const bool possible = form.width + form.more <= 8 * static_cast<int>(sizeof(T)) &&
                          form.larger <= kGroup && (form.larger == 0 || form.more > 0);
    if (!possible || end - code < form.bytes()) return false;
    std::memcpy(padded, code, form.low_bytes());
    unpack<T>(padded, kGroup, form.width, differences);
    code += form.low_bytes();
    if (form.larger > 0) {
      std::memcpy(padded, code + form.larger, form.high_bytes());
      unpack<T>(padded, form.larger, form.more, high);
      for (int k = 0; k < form.larger; ++k) {
        if (code[k] >= kGroup) return false;
        differences[code[k]] |= high[k] << form.width;
      }
      code += form.larger + form.high_bytes();
    }
    const auto n = static_cast<int>(std::min<std::int64_t>(kGroup, count - i));
    for (int k = 0; k < n; ++k) values[i + k] = value_of(differences[k], expected[i + k]);
  }
  return true;
}

ENTRAIN_VECTORISED std::int64_t encode_floats(const float* values, const float* expected,
                                              std::int64_t count, std::uint8_t* code) {
  return encode(values, expected, count, code);
}

ENTRAIN_VECTORISED std::int64_t encode_doubles(const double* values, const double* expected,
                                               std::int64_t count, std::uint8_t* code) {
  return encode(values, expected, count, code);
}

ENTRAIN_VECTORISED bool decode_floats(const std::uint8_t* code, std::int64_t bytes,
                                      const float* expected, std::int64_t count, float* values) {
  return decode(code, bytes, expected, count, values);
}

ENTRAIN_VECTORISED bool decode_doubles(const std::uint8_t* code, std::int64_t bytes,
                                       const double* expected, std::int64_t count, double* values) {
  return decode(code, bytes, expected, count, values);
}

void require(bool decoded, std::int64_t bytes, std::int64_t count) {
  if (decoded) return;
  throw CommunicationError(fmt::format(
      "{} bytes came in that are no code of {} numbers: do all ranks run the same program?", bytes,
      count));
}

}  // namespace

std::int64_t most_lossless_bytes(std::int64_t count, std::int64_t item) {
  return (count + kGroup - 1) / kGroup * (kHead + kGroup * item);
}

std::int64_t encode_lossless(const float* values, const float* expected, std::int64_t count,
                             std::uint8_t* code) {
  return encode_floats(values, expected, count, code);
}

std::int64_t encode_lossless(const double* values, const double* expected, std::int64_t count,
                             std::uint8_t* code) {
  return encode_doubles(values, expected, count, code);
}

void decode_lossless(const std::uint8_t* code, std::int64_t bytes, const float* expected,
                     std::int64_t count, float* values) {
  require(decode_floats(code, bytes, expected, count, values), bytes, count);
}

void decode_lossless(const std::uint8_t* code, std::int64_t bytes, const double* expected,
                     std::int64_t count, double* values) {
  require(decode_doubles(code, bytes, expected, count, values), bytes, count);
}

}  // namespace entrain
