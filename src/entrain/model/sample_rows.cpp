#include "entrain/model/sample_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

#include "entrain/core/errors.h"
#include "entrain/model/linear_kernels.h"

namespace entrain {
namespace {

constexpr double densest = 0.25;  // of sparse rows: above, dense rows are faster

at::Tensor index_of(std::span<const std::int64_t> order) {
  return at::tensor(at::IntArrayRef(order.data(), order.size()), at::kLong);
}

std::int64_t padded(std::int64_t features) {
  return (features + row_padding - 1) / row_padding * row_padding;
}

// In portions, so that no second copy of all samples is ever in memory.
at::Tensor padded_rows(const at::Tensor& rows, std::span<const std::int64_t> order,
                       at::ScalarType type) {
  constexpr std::size_t portion = 4096;
  const auto samples = static_cast<std::int64_t>(order.size());
  at::Tensor result = at::zeros({samples, padded(rows.size(1))}, type);
  for (std::size_t at = 0; at < order.size(); at += portion) {
    const auto some = order.subspan(at, std::min(portion, order.size() - at));
    result.narrow(0, static_cast<std::int64_t>(at), static_cast<std::int64_t>(some.size()))
        .narrow(1, 0, rows.size(1))
        .copy_(rows.index_select(0, index_of(some)));
  }
  return result;
}

at::Tensor densified(const LinearData& data) {
  const at::Tensor counts = at::diff(data.offsets);
  const at::Tensor row = at::repeat_interleave(counts);
  at::Tensor dense = at::zeros({data.samples, data.features}, at::kDouble);
  dense.index_put_({row, data.columns.to(at::kLong)}, data.values);
  return dense;
}

// A product with a float vector is for float rows alone.
template <class Number, class Rows>
constexpr bool takes = sizeof(Number) >= sizeof(typename std::decay_t<Rows>::Entry);

bool fits_sparse(const LinearData& data) {
  const double cells = static_cast<double>(data.samples) * static_cast<double>(data.features);
  return data.sparse() && static_cast<double>(data.values.numel()) <= densest * cells;
}

}  // namespace

SampleRows::SampleRows(const LinearData& data, std::span<const std::int64_t> order,
                       at::ScalarType type)
    : samples_(static_cast<std::int64_t>(order.size())),
      features_(data.features),
      width_(data.features),
      type_(type) {
  ENTRAIN_CHECK(type == at::kFloat || type == at::kDouble);
  if (!fits_sparse(data)) {
    dense_ = padded_rows(data.sparse() ? densified(data) : data.dense, order, type);
    width_ = dense_.size(1);
    return;
  }
  const auto* offsets = data.offsets.data_ptr<std::int64_t>();
  std::vector<std::int64_t> entries, starts = {0};
  for (const std::int64_t sample : order) {
    for (std::int64_t e = offsets[sample]; e < offsets[sample + 1]; ++e) entries.push_back(e);
    starts.push_back(static_cast<std::int64_t>(entries.size()));
  }
  offsets_ = index_of(starts);
  columns_ = data.columns.index_select(0, index_of(entries));
  values_ = data.values.index_select(0, index_of(entries)).to(type);
}

template <class Call>
void SampleRows::with_rows(Call call) const {
  const auto as = [&](auto row) {
    using Row = decltype(row);
    if (!sparse()) return call(DenseRows<Row>{dense_.data_ptr<Row>(), width_});
    call(SparseRows<Row>{offsets_.data_ptr<std::int64_t>(), columns_.data_ptr<std::int32_t>(),
                         values_.data_ptr<Row>()});
  };
  type_ == at::kFloat ? as(float{}) : as(double{});
}

template <class Number>
void SampleRows::dots(std::span<const std::uint32_t> picked, const Number* x, double* out) const {
  if constexpr (std::is_same_v<Number, float>) ENTRAIN_CHECK(type_ == at::kFloat);
  with_rows([&](const auto& rows) {
    if constexpr (takes<Number, decltype(rows)>) {
      entrain::dots(rows, picked.data(), static_cast<std::int64_t>(picked.size()), x, out);
    }
  });
}

template <class Number>
void SampleRows::add(std::span<const std::uint32_t> picked, const double* factors,
                     Number* sum) const {
  if constexpr (std::is_same_v<Number, float>) ENTRAIN_CHECK(type_ == at::kFloat);
  with_rows([&](const auto& rows) {
    if constexpr (takes<Number, decltype(rows)>) {
      add_rows(rows, picked.data(), static_cast<std::int64_t>(picked.size()), factors, sum);
    }
  });
}

template void SampleRows::dots(std::span<const std::uint32_t>, const float*, double*) const;
template void SampleRows::dots(std::span<const std::uint32_t>, const double*, double*) const;
template void SampleRows::add(std::span<const std::uint32_t>, const double*, float*) const;
template void SampleRows::add(std::span<const std::uint32_t>, const double*, double*) const;

void SampleRows::scores(std::int64_t first, std::int64_t count, const at::Tensor& points,
                        at::Tensor& scores) const {
  if (sparse() || points.size(0) == 1) {
    std::vector<std::uint32_t> picked(count);
    std::iota(picked.begin(), picked.end(), static_cast<std::uint32_t>(first));
    for (std::int64_t p = 0; p < points.size(0); ++p) {
      dots(picked, points[p].data_ptr<double>(), scores[p].data_ptr<double>());
    }
    return;
  }
  at::mm_out(scores, points, dense_.narrow(0, first, count).to(at::kDouble).t());
}

}  // namespace entrain
