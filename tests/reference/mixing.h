#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/problem.h"

// Mixing matrices: plain loops in double, written from the equations alone.
namespace reference {

/// W[i][j]: the weight of worker j's row in worker i's new row.
using Matrix = std::vector<Vector>;

inline Matrix zero_matrix(int n) { return Matrix(n, Vector(n)); }

inline Matrix identity(int n) {
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) w[i][i] = 1;
  return w;
}

/// J = 1 1^T / n.
inline Matrix everyone(int n) { return Matrix(n, Vector(n, 1.0 / n)); }

inline Matrix fully_connected(int n) { return everyone(n); }

/// Consecutive workers in groups of m: the exact average inside each group.
inline Matrix groups(int n, int m) {
  if (m < 1 || n % m != 0) throw std::invalid_argument("the group size must divide n");
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      if (i / m == j / m) w[i][j] = 1.0 / m;
    }
  }
  return w;
}

/// 1/3 self, 1/3 each side; n = 2: 1/2, 1/2; n = 1: 1.
inline Matrix ring(int n) {
  if (n <= 2) return everyone(n);
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    w[i][i] = 1.0 / 3;
    w[i][(i + 1) % n] = 1.0 / 3;
    w[i][(i + n - 1) % n] = 1.0 / 3;
  }
  return w;
}

/// 1/2 self, 1/2 from the left neighbour i - 1.
inline Matrix directed_ring(int n) {
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    w[i][i] += 0.5;
    w[i][(i + n - 1) % n] += 0.5;
  }
  return w;
}

/// Rows of the grid of n workers: the largest divisor of n not above its square root.
inline int grid_rows(int n) {
  int a = 1;
  for (int d = 1; d * d <= n; ++d) {
    if (n % d == 0) a = d;
  }
  return a;
}

/// 2-D grid without wrap, row-major, Metropolis-Hastings: w_ij = 1 / (1 + max(deg_i, deg_j)),
/// w_ii = 1 - sum.
inline Matrix grid(int n) {
  const int rows = grid_rows(n), columns = n / rows;
  const auto adjacent = [&](int i, int j) {
    const int down = std::abs(i / columns - j / columns);
    const int across = std::abs(i % columns - j % columns);
    return down + across == 1;
  };
  std::vector<int> degree(n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) degree[i] += adjacent(i, j);
  }
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    double sum = 0;
    for (int j = 0; j < n; ++j) {
      if (!adjacent(i, j)) continue;
      w[i][j] = 1.0 / (1 + std::max(degree[i], degree[j]));
      sum += w[i][j];
    }
    w[i][i] = 1 - sum;
  }
  return w;
}

/// w_0i = w_i0 = 1/n, w_ii = 1 - 1/n for i != 0, w_00 = 1/n.
inline Matrix star(int n) {
  Matrix w = zero_matrix(n);
  w[0][0] = 1.0 / n;
  for (int i = 1; i < n; ++i) {
    w[0][i] = w[i][0] = 1.0 / n;
    w[i][i] = 1 - 1.0 / n;
  }
  return w;
}

/// d = ceil(log2 n): the number of hops 2^0, 2^1, ... below n.
inline int exponential_hops(int n) {
  int d = 0;
  while ((1 << d) < n) ++d;
  return d;
}

/// i receives from i - 2^j mod n for every j < d; uniform weights 1 / (d + 1).
inline Matrix static_exponential(int n) {
  const int d = exponential_hops(n);
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    w[i][i] = 1.0 / (d + 1);
    for (int j = 0; j < d; ++j) w[i][(i - (1 << j) + n) % n] = 1.0 / (d + 1);
  }
  return w;
}

/// The k-th use (from 0): i receives from i - 2^(k mod d) mod n; weights 1/2, 1/2.
inline Matrix one_peer_exponential(int n, int k) {
  const int d = exponential_hops(n);
  if (d == 0) return identity(n);
  const int hop = 1 << (k % d);
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    w[i][i] = 0.5;
    w[i][(i - hop + n) % n] = 0.5;
  }
  return w;
}

/// n rows of n numbers, white space between them.
inline Matrix from_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  Vector numbers;
  for (double value; file >> value;) numbers.push_back(value);
  if (!file.eof()) throw std::runtime_error("not a number in " + path);
  int n = 0;
  while (static_cast<std::size_t>(n) * n < numbers.size()) ++n;
  if (n == 0 || static_cast<std::size_t>(n) * n != numbers.size()) {
    throw std::runtime_error("not a square matrix: " + path);
  }
  Matrix w = zero_matrix(n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) w[i][j] = numbers[i * n + j];
  }
  return w;
}

/// x_i' = sum_j W[i][j] x_j.
inline std::vector<Vector> mix(const Matrix& w, const std::vector<Vector>& x) {
  std::vector<Vector> mixed(x.size(), Vector(x[0].size()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      for (std::size_t c = 0; c < x[j].size(); ++c) mixed[i][c] += w[i][j] * x[j][c];
    }
  }
  return mixed;
}

}  // namespace reference
