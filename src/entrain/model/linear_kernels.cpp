#include "entrain/model/linear_kernels.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "entrain/core/vectorised.h"

namespace entrain {
namespace {

using Index = std::int64_t;

constexpr Index together = 4;     // rows at a time
constexpr Index cache_line = 64;  // bytes

// 64 bytes of numbers, which the compiler splits where the processor's vectors are narrower.
template <class Number>
struct Lanes {
  static constexpr Index count = 64 / sizeof(Number);
  typedef Number Type __attribute__((vector_size(64)));
};

template <class Number, class Row>
[[gnu::always_inline]] inline void load(const Row* from, typename Lanes<Number>::Type& to) {
  typedef Row Narrow __attribute__((vector_size(sizeof(Row) * Lanes<Number>::count)));
  Narrow raw;
  std::memcpy(&raw, from, sizeof raw);
  if constexpr (std::is_same_v<Number, Row>) {
    to = raw;
  } else {
    to = __builtin_convertvector(raw, typename Lanes<Number>::Type);
  }
}

// Halves in turn, as vectors do it.
template <class Number>
[[gnu::always_inline]] inline double total(const typename Lanes<Number>::Type& lanes) {
  Number parts[Lanes<Number>::count];
  std::memcpy(parts, &lanes, sizeof parts);
  for (Index width = Lanes<Number>::count / 2; width > 0; width /= 2) {
    for (Index l = 0; l < width; ++l) parts[l] += parts[l + width];
  }
  return static_cast<double>(parts[0]);
}

template <Index Rows, class Row, class Number>
[[gnu::always_inline]] inline void dots_of(const DenseRows<Row>& rows, const std::uint32_t* picked,
                                           const Number* x, double* out) {
  typename Lanes<Number>::Type sums[Rows] = {}, factor, row;
  const Row* at[Rows];
  for (Index k = 0; k < Rows; ++k) at[k] = rows.at + picked[k] * rows.stride;
  for (Index j = 0; j < rows.stride; j += Lanes<Number>::count) {
    load<Number>(x + j, factor);
    for (Index k = 0; k < Rows; ++k) {
      load<Number>(at[k] + j, row);
      sums[k] += row * factor;
    }
  }
  for (Index k = 0; k < Rows; ++k) out[k] = total<Number>(sums[k]);
}

// Rows lie at random places of memory, which no processor foresees.
template <class Row>
[[gnu::always_inline]] inline void fetch(const DenseRows<Row>& rows, const std::uint32_t* picked,
                                         Index count) {
  for (Index k = 0; k < count; ++k) {
    const Row* at = rows.at + picked[k] * rows.stride;
    for (Index j = 0; j < rows.stride; j += cache_line / static_cast<Index>(sizeof(Row))) {
      __builtin_prefetch(at + j);
    }
  }
}

template <class Row, class Number>
[[gnu::always_inline]] inline void dense_dots(const DenseRows<Row>& rows,
                                              const std::uint32_t* picked, Index count,
                                              const Number* x, double* out) {
  Index k = 0;
  for (; k + together <= count; k += together) {
    fetch(rows, picked + k + together, std::min(together, count - k - together));
    dots_of<together>(rows, picked + k, x, out + k);
  }
  for (; k < count; ++k) dots_of<1>(rows, picked + k, x, out + k);
}

template <Index Rows, class Row, class Number>
[[gnu::always_inline]] inline void add_of(const DenseRows<Row>& rows, const std::uint32_t* picked,
                                          const double* factors, Number* sum) {
  typename Lanes<Number>::Type lanes, row;
  const Row* at[Rows];
  for (Index k = 0; k < Rows; ++k) at[k] = rows.at + picked[k] * rows.stride;
  for (Index j = 0; j < rows.stride; j += Lanes<Number>::count) {
    load<Number>(sum + j, lanes);
    for (Index k = 0; k < Rows; ++k) {
      load<Number>(at[k] + j, row);
      lanes += row * static_cast<Number>(factors[k]);
    }
    std::memcpy(sum + j, &lanes, sizeof lanes);
  }
}

template <class Row, class Number>
[[gnu::always_inline]] inline void dense_add(const DenseRows<Row>& rows,
                                             const std::uint32_t* picked, Index count,
                                             const double* factors, Number* sum) {
  Index k = 0;
  for (; k + together <= count; k += together) add_of<together>(rows, picked + k, factors + k, sum);
  for (; k < count; ++k) add_of<1>(rows, picked + k, factors + k, sum);
}

template <class Row, class Number>
void sparse_dots(const SparseRows<Row>& rows, const std::uint32_t* picked, Index count,
                 const Number* x, double* out) {
  for (Index k = 0; k < count; ++k) {
    const Index end = rows.offsets[picked[k] + 1];
    double even = 0, odd = 0;
    Index e = rows.offsets[picked[k]];
    for (; e + 1 < end; e += 2) {
      even += static_cast<double>(rows.values[e]) * x[rows.columns[e]];
      odd += static_cast<double>(rows.values[e + 1]) * x[rows.columns[e + 1]];
    }
    if (e < end) even += static_cast<double>(rows.values[e]) * x[rows.columns[e]];
    out[k] = even + odd;
  }
}

template <class Row, class Number>
void sparse_add(const SparseRows<Row>& rows, const std::uint32_t* picked, Index count,
                const double* factors, Number* sum) {
  for (Index k = 0; k < count; ++k) {
    const auto factor = static_cast<Number>(factors[k]);
    for (Index e = rows.offsets[picked[k]]; e < rows.offsets[picked[k] + 1]; ++e) {
      sum[rows.columns[e]] += factor * static_cast<Number>(rows.values[e]);
    }
  }
}

}  // namespace

ENTRAIN_VECTORISED void dots(const DenseRows<float>& rows, const std::uint32_t* picked, Index count,
                             const float* x, double* out) {
  dense_dots(rows, picked, count, x, out);
}
ENTRAIN_VECTORISED void dots(const DenseRows<float>& rows, const std::uint32_t* picked, Index count,
                             const double* x, double* out) {
  dense_dots(rows, picked, count, x, out);
}
ENTRAIN_VECTORISED void dots(const DenseRows<double>& rows, const std::uint32_t* picked,
                             Index count, const double* x, double* out) {
  dense_dots(rows, picked, count, x, out);
}
void dots(const SparseRows<float>& rows, const std::uint32_t* picked, Index count, const float* x,
          double* out) {
  sparse_dots(rows, picked, count, x, out);
}
void dots(const SparseRows<float>& rows, const std::uint32_t* picked, Index count, const double* x,
          double* out) {
  sparse_dots(rows, picked, count, x, out);
}
void dots(const SparseRows<double>& rows, const std::uint32_t* picked, Index count, const double* x,
          double* out) {
  sparse_dots(rows, picked, count, x, out);
}

ENTRAIN_VECTORISED void add_rows(const DenseRows<float>& rows, const std::uint32_t* picked,
                                 Index count, const double* factors, float* sum) {
  dense_add(rows, picked, count, factors, sum);
}
ENTRAIN_VECTORISED void add_rows(const DenseRows<float>& rows, const std::uint32_t* picked,
                                 Index count, const double* factors, double* sum) {
  dense_add(rows, picked, count, factors, sum);
}
ENTRAIN_VECTORISED void add_rows(const DenseRows<double>& rows, const std::uint32_t* picked,
                                 Index count, const double* factors, double* sum) {
  dense_add(rows, picked, count, factors, sum);
}
void add_rows(const SparseRows<float>& rows, const std::uint32_t* picked, Index count,
              const double* factors, float* sum) {
  sparse_add(rows, picked, count, factors, sum);
}
void add_rows(const SparseRows<float>& rows, const std::uint32_t* picked, Index count,
              const double* factors, double* sum) {
  sparse_add(rows, picked, count, factors, sum);
}
void add_rows(const SparseRows<double>& rows, const std::uint32_t* picked, Index count,
              const double* factors, double* sum) {
  sparse_add(rows, picked, count, factors, sum);
}

}  // namespace entrain
