#pragma once

#include <cstdint>

namespace entrain {

/// Numbers in as many bits as they differ in from others that the receiver has, too. Every bit
/// comes back, those of NaN and of -0 as well.
///
/// The bits of floating numbers, read as whole numbers that rise with them, are subtracted. Of each
/// 64 differences the low bits follow one another, as many of each, and then come the other bits of
/// the few that are larger (frame of reference with patches: Zukowski et al. 2006).

/// Bytes that a code of `count` numbers of `item` bytes has at most: those of the numbers, filled
/// up to whole groups of 64, and 3 for each group.
std::int64_t most_lossless_bytes(std::int64_t count, std::int64_t item);

/// Codes `values` [count] into `code`, which has room for the most. Returns the bytes written.
std::int64_t encode_lossless(const float* values, const float* expected, std::int64_t count,
                             std::uint8_t* code);
std::int64_t encode_lossless(const double* values, const double* expected, std::int64_t count,
                             std::uint8_t* code);

/// `values` [count] from the `bytes` bytes of `code`, whose last ones may mean nothing. Throws
/// CommunicationError if they are no code of so many numbers.
void decode_lossless(const std::uint8_t* code, std::int64_t bytes, const float* expected,
                     std::int64_t count, float* values);
void decode_lossless(const std::uint8_t* code, std::int64_t bytes, const double* expected,
                     std::int64_t count, double* values);

}  // namespace entrain
