#pragma once

#include "reference/codecs.h"

// Exchanges of coded rows: plain loops in double, written from the definitions alone. All keep
// their errors from call to call.
namespace reference {

/// Any mean of the workers' rows.
using Mean = std::function<Vector(const std::vector<Vector>&)>;

/// What every worker sends, with its own error feedback: decoded_i = Q(v_i + e_i), e_i = rest.
class Senders {
 public:
  Senders(Codec codec, bool error_feedback)
      : codec_(std::move(codec)), error_feedback_(error_feedback) {}

  std::vector<Vector> operator()(const std::vector<Vector>& v) {
    if (errors_.empty()) errors_.assign(v.size(), Vector(v[0].size()));
    std::vector<Vector> decoded(v.size());
    for (std::size_t i = 0; i < v.size(); ++i) {
      Vector total = v[i];
      for (std::size_t c = 0; c < total.size(); ++c) total[c] += errors_[i][c];
      decoded[i] = codec_.decode(total, static_cast<int>(i), round_);
      if (!error_feedback_) continue;
      for (std::size_t c = 0; c < total.size(); ++c) errors_[i][c] = total[c] - decoded[i][c];
    }
    ++round_;
    return decoded;
  }

  const std::vector<Vector>& errors() const { return errors_; }

 private:
  Codec codec_;
  bool error_feedback_;
  int round_ = 0;
  std::vector<Vector> errors_;
};

/// The mean of the decoded rows; for quantisers with a second stage coded once more.
class CodedMean {
 public:
  CodedMean(const Codec& codec, bool error_feedback)
      : codec_(codec), error_feedback_(error_feedback), senders_(codec, error_feedback) {}

  Vector operator()(const std::vector<Vector>& v) {
    Vector mean = mean_of(senders_(v));
    if (residual_.empty()) residual_.assign(mean.size(), 0);
    if (!codec_.second_stage) return mean;
    for (std::size_t c = 0; c < mean.size(); ++c) mean[c] += residual_[c];
    Vector result = codec_.decode(mean, 0, 0);
    if (error_feedback_) {
      for (std::size_t c = 0; c < mean.size(); ++c) residual_[c] = mean[c] - result[c];
    }
    return result;
  }

  const std::vector<Vector>& errors() const { return senders_.errors(); }
  const Vector& residual() const { return residual_; }

 private:
  Codec codec_;
  bool error_feedback_;
  Senders senders_;
  Vector residual_;
};

/// x_i' = sum_j W[i][j] decoded_j, the own row decoded too.
class CodedMix {
 public:
  CodedMix(const Codec& codec, bool error_feedback) : senders_(codec, error_feedback) {}

  std::vector<Vector> operator()(const Matrix& w, const std::vector<Vector>& x) {
    return mix(w, senders_(x));
  }

  const std::vector<Vector>& errors() const { return senders_.errors(); }

 private:
  Senders senders_;
};

inline double column_norm(const Matrix& p, std::size_t k) {
  double squares = 0;
  for (const Vector& row : p) squares += row[k] * row[k];
  return std::sqrt(squares);
}

/// Gram-Schmidt on the columns, in order, each twice, so that what is left of a dependent column is
/// not rounding taken for a direction; such a column becomes 0.
inline void orthonormalise_columns(Matrix& p) {
  const std::size_t rank = p[0].size();
  for (std::size_t k = 0; k < rank; ++k) {
    const double before = column_norm(p, k);
    for (std::size_t j = 0; j < 2 * k; ++j) {
      double dot = 0;
      for (const Vector& row : p) dot += row[j % k] * row[k];
      for (Vector& row : p) row[k] -= dot * row[j % k];
    }
    const double after = column_norm(p, k);
    for (Vector& row : p) row[k] = after > 1e-10 * before ? row[k] / after : 0;
  }
}

/// PowerSGD (NeurIPS 2019), Algorithm 1: P = mean M_i Q, orthonormalised; Q = mean M_i^T P;
/// the result is P Q^T, the error of worker i is M_i - P (M_i^T P)^T. Q starts warm; a column of it
/// that came out as 0 starts from what it was, or it would stay 0 for ever. Tensors that are too
/// small and columns in no tensor: the exact mean.
class LowRankMean {
 public:
  /// The entry (row, column) of the first Q (cols x rank) of a tensor of the list.
  using FirstQ = std::function<double(int tensor, int row, int column)>;

  LowRankMean(std::vector<Tensor> tensors, int rank, FirstQ first_q, bool error_feedback,
              double min_rate = 2)
      : tensors_(std::move(tensors)),
        rank_(rank),
        error_feedback_(error_feedback),
        min_rate_(min_rate) {
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      Matrix q;
      if (compressed(tensors_[k])) q.assign(tensors_[k].cols, Vector(rank));
      for (std::size_t r = 0; r < q.size(); ++r) {
        for (int c = 0; c < rank; ++c) {
          q[r][c] = first_q(static_cast<int>(k), static_cast<int>(r), c);
        }
      }
      q_.push_back(q);
    }
  }

  bool compressed(const Tensor& tensor) const {
    const double rows = tensor.rows, cols = tensor.cols;
    return (rows + cols) * rank_ * min_rate_ < rows * cols;
  }

  Vector operator()(const std::vector<Vector>& v) {
    if (errors_.empty()) errors_.assign(v.size(), Vector(v[0].size()));
    Vector result = mean_of(v);
    for (std::size_t k = 0; k < tensors_.size(); ++k) {
      if (compressed(tensors_[k])) exchange(tensors_[k], v, q_[k], result);
    }
    return result;
  }

  const std::vector<Vector>& errors() const { return errors_; }

 private:
  void exchange(const Tensor& tensor, const std::vector<Vector>& v, Matrix& q, Vector& result) {
    const int workers = static_cast<int>(v.size()), rows = tensor.rows, cols = tensor.cols;
    const auto at = [&](int r, int c) { return tensor.offset + r * cols + c; };
    const auto m = [&](int i, int r, int c) { return v[i][at(r, c)] + errors_[i][at(r, c)]; };

    Matrix p(rows, Vector(rank_));
    for (int r = 0; r < rows; ++r) {
      for (int k = 0; k < rank_; ++k) {
        for (int i = 0; i < workers; ++i) {
          for (int c = 0; c < cols; ++c) p[r][k] += m(i, r, c) * q[c][k];
        }
        p[r][k] /= workers;
      }
    }
    orthonormalise_columns(p);

    std::vector<Matrix> own_q(workers, Matrix(cols, Vector(rank_)));
    const Matrix q_before = q;
    q.assign(cols, Vector(rank_));
    for (int c = 0; c < cols; ++c) {
      for (int k = 0; k < rank_; ++k) {
        for (int i = 0; i < workers; ++i) {
          for (int r = 0; r < rows; ++r) own_q[i][c][k] += m(i, r, c) * p[r][k];
          q[c][k] += own_q[i][c][k];
        }
        q[c][k] /= workers;
      }
    }

    const auto product = [&](const Matrix& right, int r, int c) {
      double sum = 0;
      for (int k = 0; k < rank_; ++k) sum += p[r][k] * right[c][k];
      return sum;
    };
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < cols; ++c) {
        result[at(r, c)] = product(q, r, c);
        if (!error_feedback_) continue;
        for (int i = 0; i < workers; ++i) {
          errors_[i][at(r, c)] = m(i, r, c) - product(own_q[i], r, c);
        }
      }
    }
    for (int k = 0; k < rank_; ++k) {
      if (column_norm(q, k) != 0) continue;
      for (int c = 0; c < cols; ++c) q[c][k] = q_before[c][k];
    }
  }

  std::vector<Tensor> tensors_;
  int rank_;
  bool error_feedback_;
  double min_rate_;
  std::vector<Matrix> q_;
  std::vector<Vector> errors_;
};

}  // namespace reference
