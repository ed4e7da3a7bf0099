#include "entrain/comm/sum.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "entrain/core/seeds.h"

namespace entrain {
namespace {

constexpr at::ScalarType kSumTypes[] = {at::kFloat, at::kDouble};

// Numbers of either sign whose magnitudes spread over `octaves` powers of two: the order in which
// they are added shows in the last bits of their sum.
at::Tensor spread_rows(std::int64_t count, std::int64_t columns, at::ScalarType type,
                       int octaves = 60) {
  Stream draws(1, Purpose::codec, static_cast<std::uint64_t>(count),
               static_cast<std::uint64_t>(columns));
  at::Tensor rows = at::empty({count, columns}, at::kDouble);
  double* values = rows.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.numel(); ++i) {
    const auto exponent = static_cast<int>(draws.below(octaves)) - octaves / 2;
    values[i] = std::ldexp(draws.uniform() - 0.5, exponent);
  }
  return rows.to(type);
}

at::Tensor sums_of(const at::Tensor& rows) {
  at::Tensor sums = at::full({1, rows.size(1)}, std::nan(""), at::kDouble);
  tree_sum(rows, 0, rows.size(1), sums.data_ptr<double>());
  return sums;
}

at::Tensor mean_of(const at::Tensor& rows) {
  at::Tensor mean = at::full({1, rows.size(1)}, std::nan(""), rows.options());
  tree_mean(rows, 0, rows.size(1), static_cast<int>(rows.size(0)), mean);
  return mean;
}

bool equal_bits(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && a.scalar_type() == b.scalar_type() &&
         std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

// The tree as sum.h tells it, one column at a time.
double told_sum(const std::vector<double>& terms, std::size_t begin, std::size_t count) {
  if (count == 1) return terms[begin];
  const std::size_t left = std::bit_floor(count - 1);
  return told_sum(terms, begin, left) + told_sum(terms, begin + left, count - left);
}

struct Column {
  std::vector<double> terms;
  long double sum = 0, magnitude = 0;
};

std::vector<Column> columns_of(const at::Tensor& rows) {
  const at::Tensor wide = rows.to(at::kDouble).contiguous();
  const double* values = wide.data_ptr<double>();
  std::vector<Column> columns(static_cast<std::size_t>(wide.size(1)));
  for (std::int64_t i = 0; i < wide.size(0); ++i)
    for (Column& column : columns) {
      column.terms.push_back(*values);
      column.sum += *values;
      column.magnitude += std::abs(*values++);
    }
  return columns;
}

TEST(Sum, IsTheTreeOfTheHeader) {
  for (at::ScalarType type : kSumTypes)
    for (int n = 1; n <= 33; ++n) {
      const at::Tensor rows = spread_rows(n, 50, type), sums = sums_of(rows), mean = mean_of(rows);
      std::int64_t j = 0;
      for (const Column& column : columns_of(rows)) {
        const double told = told_sum(column.terms, 0, column.terms.size());
        ASSERT_EQ(sums[0][j].item<double>(), told) << n << " rows, column " << j;
        const double rounded = type == at::kFloat ? static_cast<float>(told / n) : told / n;
        ASSERT_EQ(mean[0][j].item<double>(), rounded) << n << " rows, column " << j;
        ++j;
      }
    }
}

// A double sum along the tree rounds once a level, the division once, the result once more.
TEST(Sum, MeansAreExactToRounding) {
  for (at::ScalarType type : kSumTypes)
    for (int n : {1, 2, 3, 7, 16, 24}) {
      const at::Tensor rows = spread_rows(n, 3001, type, 40);
      const at::Tensor mean = mean_of(rows).to(at::kDouble);
      const double* means = mean.data_ptr<double>();
      const double levels = std::ceil(std::log2(n));
      for (const Column& column : columns_of(rows)) {
        const long double exact = column.sum / n, got = *means++;
        const long double bound =
            1.01L * ((levels + 1) * 0x1p-53L * column.magnitude / n +
                     (type == at::kFloat ? 0x1p-24L * std::abs(exact) : 0.0L));
        ASSERT_LE(std::abs(got - exact), bound) << n << " rows";
      }
    }
}

// In float the sum below would be 16777216 whatever is added.
TEST(Sum, FloatsAreAddedInDouble) {
  at::Tensor rows = at::ones({16, 700}, at::kFloat);
  rows[0].fill_(16777216.0);
  EXPECT_TRUE(at::equal(sums_of(rows), at::full({1, 700}, 16777231.0, at::kDouble)));
  EXPECT_TRUE(at::equal(mean_of(rows), at::full({1, 700}, 16777231.0 / 16, at::kFloat)));
}

// n workers in P processes of w: the tree over the processes' own sums is the tree over all.
TEST(Sum, BitsDoNotDependOnHowWorkersAreSpread) {
  for (at::ScalarType type : kSumTypes)
    for (int n : {8, 12, 16, 24}) {
      const at::Tensor rows = spread_rows(n, 5000, type);
      const at::Tensor whole = sums_of(rows);
      for (int w = 1; w <= n; w *= 2) {
        if (n % w != 0) continue;
        std::vector<at::Tensor> partial;
        for (int first = 0; first < n; first += w)
          partial.push_back(sums_of(rows.narrow(0, first, w)));
        const at::Tensor all = at::cat(partial);
        EXPECT_TRUE(equal_bits(sums_of(all), whole)) << n << " workers, " << w << " a process";
        at::Tensor mean = at::empty({1, 5000}, rows.options());
        tree_mean(all, 0, 5000, n, mean);
        EXPECT_TRUE(equal_bits(mean, mean_of(rows))) << n << " workers, " << w << " a process";
      }
    }
}

// The test above would say nothing if these numbers had one sum in any order.
TEST(Sum, ANaiveOrderHasOtherBits) {
  for (at::ScalarType type : kSumTypes)
    for (int n : {8, 12, 16, 24}) {
      const at::Tensor rows = spread_rows(n, 5000, type), wide = rows.to(at::kDouble);
      at::Tensor naive = at::zeros({1, 5000}, at::kDouble);
      for (int i = 0; i < n; ++i) naive.add_(wide[i]);
      const std::int64_t differing = naive.ne(sums_of(rows)).sum().item<std::int64_t>();
      EXPECT_GT(differing, 500) << n << " workers";
    }
}

TEST(Sum, WritesTheGivenColumnsOnly) {
  for (at::ScalarType type : kSumTypes) {
    const at::Tensor rows = spread_rows(5, 2000, type), sums = sums_of(rows), mean = mean_of(rows);
    for (const auto& [begin, end] : std::vector<std::pair<int, int>>{
             {0, 0}, {7, 7}, {3, 4}, {100, 612}, {1, 1999}, {511, 513}, {1999, 2000}}) {
      at::Tensor some = at::full({1, 2000}, -7.0, at::kDouble), expected = some.clone();
      expected.slice(1, begin, end).copy_(sums.slice(1, begin, end));
      tree_sum(rows, begin, end, some.data_ptr<double>());
      EXPECT_TRUE(equal_bits(some, expected)) << begin << " to " << end;

      at::Tensor part = at::full({1, 2000}, -7.0, type), wanted = part.clone();
      wanted.slice(1, begin, end).copy_(mean.slice(1, begin, end));
      tree_mean(rows, begin, end, 5, part);
      EXPECT_TRUE(equal_bits(part, wanted)) << begin << " to " << end;
    }
  }
}

TEST(Sum, MessagesOfAnyLength) {
  for (at::ScalarType type : kSumTypes)
    for (std::int64_t m : {0, 1, 2, 511, 512, 513, 1000, 1'000'000}) {
      const at::Tensor rows = spread_rows(3, m, type), wide = rows.to(at::kDouble);
      const at::Tensor expected = ((wide[0] + wide[1]) + wide[2]).view({1, m});
      EXPECT_TRUE(equal_bits(sums_of(rows), expected)) << m << " columns";
      EXPECT_TRUE(equal_bits(mean_of(rows), (expected / 3).to(type))) << m << " columns";
    }
}

TEST(Sum, RowsMayLieApart) {
  for (at::ScalarType type : kSumTypes) {
    const at::Tensor rows = spread_rows(6, 1500, type);
    const at::Tensor apart = rows.slice(0, 0, 6, 2).slice(1, 100, 900);
    const at::Tensor packed = apart.clone();
    EXPECT_TRUE(equal_bits(sums_of(apart), sums_of(packed)));
    EXPECT_TRUE(equal_bits(mean_of(apart), mean_of(packed)));
  }
}

TEST(Sum, InfinitiesAndNansComeThrough) {
  const double infinity = std::numeric_limits<double>::infinity();
  const at::Tensor rows = at::zeros({3, 3}, at::kFloat);
  rows[1][0] = infinity;
  rows[2][1] = std::nan("");
  const at::Tensor mean = mean_of(rows);
  EXPECT_EQ(mean[0][0].item<double>(), infinity);
  EXPECT_TRUE(std::isnan(mean[0][1].item<double>()));
  EXPECT_EQ(mean[0][2].item<double>(), 0);
}

}  // namespace
}  // namespace entrain
