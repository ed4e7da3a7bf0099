#include "entrain/strategy/low_rank.h"

#include <ATen/ATen.h>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

bool is_low_rank(const MessageTensors::Matrix& matrix, const Codec& codec) {
  const auto rows = static_cast<double>(matrix.rows), columns = static_cast<double>(matrix.columns);
  return (rows + columns) * static_cast<double>(codec.rank) * codec.min_rate < rows * columns;
}

// Columns of a matrix made orthonormal, one after the other (Gram-Schmidt, twice, as once leaves
// what rounding makes of dependent columns). A column that depends on those before it becomes zero.
void orthonormalise(const at::Tensor& matrix) {
  for (std::int64_t j = 0; j < matrix.size(1); ++j) {
    const at::Tensor column = matrix.select(1, j);
    const double before = column.norm().item<double>();
    for (int pass = 0; pass < 2; ++pass) {
      for (std::int64_t k = 0; k < j; ++k) {
        const at::Tensor other = matrix.select(1, k);
        column.sub_(other * other.dot(column));
      }
    }
    const double after = column.norm().item<double>();
    if (after > 1e-10 * before) {
      column.div_(after);
    } else {
      column.zero_();
    }
  }
}

// A column of the factors that came out as zero would stay zero for ever: it keeps its old values.
void keep_zero_columns(const at::Tensor& factor, const at::Tensor& before) {
  for (std::int64_t j = 0; j < factor.size(1); ++j) {
    if (factor.select(1, j).abs().max().item<double>() == 0) {
      factor.select(1, j).copy_(before.select(1, j));
    }
  }
}

// What lies between matrices, copied together or back.
std::vector<Span> outside(const std::vector<MessageTensors::Matrix>& matrices,
                          std::int64_t columns) {
  std::vector<Span> spans;
  std::int64_t at = 0;
  for (const auto& matrix : matrices) {
    spans.push_back({at, matrix.begin - at});
    at = matrix.begin + matrix.rows * matrix.columns;
  }
  spans.push_back({at, columns - at});
  return spans;
}

// The columns of `spans`, averaged exactly; what was sent becomes zero.
void average_rest(const at::Tensor& values, const std::vector<Span>& spans,
                  const at::Tensor& result, const ExactMean& average) {
  std::vector<at::Tensor> pieces;
  for (const Span& span : spans) pieces.push_back(values.narrow(1, span.begin, span.count));
  const at::Tensor rest = at::cat(pieces, 1);
  const at::Tensor mean = at::empty({1, rest.size(1)}, rest.options());
  average(rest, mean);
  std::int64_t at = 0;
  for (const Span& span : spans) {
    result.narrow(1, span.begin, span.count).copy_(mean.narrow(1, at, span.count));
    values.narrow(1, span.begin, span.count).zero_();
    at += span.count;
  }
}

at::Tensor matrix_in(const at::Tensor& row, const MessageTensors::Matrix& matrix) {
  return row.narrow(0, matrix.begin, matrix.rows * matrix.columns)
      .view({matrix.rows, matrix.columns});
}

}  // namespace

std::vector<MessageTensors::Matrix> low_rank_matrices(const MessageTensors& tensors,
                                                      const Codec& codec) {
  std::vector<MessageTensors::Matrix> chosen;
  for (const auto& matrix : tensors.matrices) {
    if (is_low_rank(matrix, codec)) chosen.push_back(matrix);
  }
  return chosen;
}

LowRank::LowRank(const Codec& codec, const MessageTensors& tensors, at::ScalarType type)
    : rank_(codec.rank) {
  const auto matrices = low_rank_matrices(tensors, codec);
  for (std::size_t k = 0; k < matrices.size(); ++k) {
    places_.push_back({matrices[k], left_size_, right_size_});
    left_size_ += matrices[k].rows * rank_;
    right_size_ += matrices[k].columns * rank_;
    Stream random(codec.seed, Purpose::codec, k);
    const at::Tensor factor = at::empty({matrices[k].columns, rank_}, at::kDouble);
    double* numbers = factor.data_ptr<double>();
    for (std::int64_t i = 0; i < factor.numel(); ++i) numbers[i] = random.normal();
    factors_.push_back(factor.to(type));
  }
  rest_ = outside(matrices, tensors.columns);
}

at::Tensor LowRank::left_of(const Place& place, const at::Tensor& row) const {
  return row.narrow(0, place.left, place.matrix.rows * rank_).view({place.matrix.rows, rank_});
}

at::Tensor LowRank::right_of(const Place& place, const at::Tensor& row) const {
  return row.narrow(0, place.right, place.matrix.columns * rank_)
      .view({place.matrix.columns, rank_});
}

void LowRank::average(const at::Tensor& values, const at::Tensor& result, const ExactMean& mean) {
  average_rest(values, rest_, result, mean);
  const std::int64_t workers = values.size(0);
  const at::Tensor left = at::empty({workers, left_size_}, values.options());
  const at::Tensor right = at::empty({workers, right_size_}, values.options());
  const at::Tensor mean_left = at::empty({1, left_size_}, values.options());
  const at::Tensor mean_right = at::empty({1, right_size_}, values.options());
  for (std::int64_t i = 0; i < workers; ++i) {
    for (std::size_t k = 0; k < places_.size(); ++k) {
      const at::Tensor own = matrix_in(values[i], places_[k].matrix);
      left_of(places_[k], left[i]).copy_(at::mm(own, factors_[k]));
    }
  }
  mean(left, mean_left);
  for (const Place& place : places_) orthonormalise(left_of(place, mean_left[0]));
  for (std::int64_t i = 0; i < workers; ++i) {
    for (const Place& place : places_) {
      const at::Tensor own = matrix_in(values[i], place.matrix);
      const at::Tensor p = left_of(place, mean_left[0]), q = right_of(place, right[i]);
      q.copy_(at::mm(own.t(), p));
      own.sub_(at::mm(p, q.t()));
    }
  }
  mean(right, mean_right);
  next_factors_.clear();
  for (const Place& place : places_) {
    const at::Tensor p = left_of(place, mean_left[0]);
    const at::Tensor q = right_of(place, mean_right[0]).clone();
    matrix_in(result[0], place.matrix).copy_(at::mm(p, q.t()));
    keep_zero_columns(q, factors_[next_factors_.size()]);
    next_factors_.push_back(q);
  }
}

}  // namespace entrain
