#pragma once

#include <cstdint>

namespace entrain {

/// Dense rows of a linear model, each padded with zeros to `stride` numbers.
template <class Row>
struct DenseRows {
  using Entry = Row;
  const Row* at;        ///< On a boundary of 64 bytes.
  std::int64_t stride;  ///< A multiple of row_padding.
};

/// Compressed sparse rows: row i has the entries offsets[i] .. offsets[i+1] - 1.
template <class Row>
struct SparseRows {
  using Entry = Row;
  const std::int64_t* offsets;
  const std::int32_t* columns;
  const Row* values;
};

constexpr std::int64_t row_padding = 16;

/// out[k] = <row of picked[k], x> for k < count. A dense x has `stride` numbers, zeros behind the
/// features. The sum of a row has the same bits whatever stands beside it.
void dots(const DenseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
          const float* x, double* out);
void dots(const DenseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
          const double* x, double* out);
void dots(const DenseRows<double>& rows, const std::uint32_t* picked, std::int64_t count,
          const double* x, double* out);
void dots(const SparseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
          const float* x, double* out);
void dots(const SparseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
          const double* x, double* out);
void dots(const SparseRows<double>& rows, const std::uint32_t* picked, std::int64_t count,
          const double* x, double* out);

/// sum += factors[k] x row of picked[k], for k = 0 .. count - 1 in this order.
void add_rows(const DenseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, float* sum);
void add_rows(const DenseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, double* sum);
void add_rows(const DenseRows<double>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, double* sum);
void add_rows(const SparseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, float* sum);
void add_rows(const SparseRows<float>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, double* sum);
void add_rows(const SparseRows<double>& rows, const std::uint32_t* picked, std::int64_t count,
              const double* factors, double* sum);

}  // namespace entrain
