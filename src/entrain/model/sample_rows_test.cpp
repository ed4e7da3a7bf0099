#include "entrain/model/sample_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

LinearData dense_data(const at::Tensor& rows) {
  LinearData data;
  data.samples = rows.size(0);
  data.features = rows.size(1);
  data.dense = rows;
  data.labels = at::ones({rows.size(0)}, at::kDouble);
  return data;
}

LinearData sparse_data(const at::Tensor& rows) {
  LinearData data = dense_data({rows});
  data.dense = at::Tensor();
  const at::Tensor entries = rows.nonzero();
  data.columns = entries.select(1, 1).to(at::kInt);
  data.values = rows.masked_select(rows != 0).to(at::kDouble);
  data.offsets = at::zeros({rows.size(0) + 1}, at::kLong);
  data.offsets.narrow(0, 1, rows.size(0)).copy_((rows != 0).sum(1).cumsum(0));
  return data;
}

// About `density` of the entries, the third row empty.
at::Tensor some_rows(std::int64_t samples, std::int64_t features, double density) {
  at::Tensor rows = numbers({samples, features});
  const at::Tensor kept = at::erf(numbers({samples, features}, 1, 2).abs() / std::sqrt(2.0));
  rows = rows * (kept < density).to(at::kDouble);
  rows[2].zero_();
  return rows.to(at::kFloat).to(at::kDouble);
}

std::vector<std::int64_t> all_of(std::int64_t samples) {
  std::vector<std::int64_t> order(samples);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

const std::vector<std::uint32_t> kPicked = {3, 0, 2, 2, 19, 7, 4, 5, 6, 11, 0};

template <class Number>
void expect_products(const SampleRows& rows, const at::Tensor& wanted, at::ScalarType type,
                     double tolerance) {
  at::Tensor x = at::zeros({rows.width()}, type);
  x.narrow(0, 0, rows.features()).copy_(numbers({rows.features()}, 1, 5));
  const at::Tensor picked = wanted.index_select(
      0, at::tensor(std::vector<std::int64_t>(kPicked.begin(), kPicked.end()), at::kLong));
  at::Tensor dots = at::empty({11}, at::kDouble);
  rows.dots(kPicked, x.data_ptr<Number>(), dots.data_ptr<double>());
  const at::Tensor point = x.narrow(0, 0, rows.features()).to(at::kDouble);
  expect_near(dots, picked.mv(point), tolerance);
  const at::Tensor factors = numbers({11}, 1, 6);
  at::Tensor sum = x.clone();
  rows.add(kPicked, factors.data_ptr<double>(), sum.data_ptr<Number>());
  expect_near(sum.narrow(0, 0, rows.features()), point + picked.t().mv(factors), tolerance);
}

TEST(SampleRows, MultipliesAsTorchDoes) {
  for (const std::int64_t features : {1, 3, 15, 16, 17, 40, 100, 129}) {
    for (const double density : {0.1, 1.0}) {
      const at::Tensor rows = some_rows(20, features, density);
      for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
        const SampleRows ours(sparse_data(rows), all_of(20), type);
        expect_products<double>(ours, rows, at::kDouble, 1e-13);
        if (type == at::kFloat) expect_products<float>(ours, rows, at::kFloat, 1e-4);
        const SampleRows dense(dense_data(rows), all_of(20), type);
        expect_products<double>(dense, rows, at::kDouble, 1e-13);
      }
    }
  }
}

TEST(SampleRows, StaySparseWhereThatPays) {
  EXPECT_TRUE(SampleRows(sparse_data(some_rows(50, 40, 0.15)), all_of(50), at::kFloat).sparse());
  EXPECT_FALSE(SampleRows(sparse_data(some_rows(50, 40, 0.5)), all_of(50), at::kFloat).sparse());
}

TEST(SampleRows, StandInTheOrderGiven) {
  const at::Tensor rows = some_rows(20, 30, 0.15);
  const std::vector<std::int64_t> order = {19, 4, 4, 2, 0};
  const at::Tensor wanted = rows.index_select(0, at::tensor(order, at::kLong));
  for (const LinearData& data : {sparse_data(rows), dense_data(rows)}) {
    const SampleRows ours(data, order, at::kDouble);
    ASSERT_EQ(ours.samples(), 5);
    at::Tensor scores = at::empty({2, 4}, at::kDouble),
               points = at::zeros({2, ours.width()}, at::kDouble);
    points.narrow(1, 0, 30).copy_(numbers({2, 30}, 1, 3));
    ours.scores(1, 4, points, scores);
    expect_near(scores, points.narrow(1, 0, 30).mm(wanted.narrow(0, 1, 4).t()), 1e-13);
  }
}

// Four rows at a time, and the last ones alone.
TEST(SampleRows, GiveTheSameBitsWhateverStandsBeside) {
  const at::Tensor rows = some_rows(20, 100, 1);
  const SampleRows ours(dense_data(rows), all_of(20), at::kFloat);
  const at::Tensor x = numbers({ours.width()}).to(at::kFloat);
  std::vector<double> together(kPicked.size());
  ours.dots(kPicked, x.data_ptr<float>(), together.data());
  for (std::size_t k = 0; k < kPicked.size(); ++k) {
    double alone = 0;
    ours.dots({&kPicked[k], 1}, x.data_ptr<float>(), &alone);
    EXPECT_EQ(alone, together[k]);
  }
  const at::Tensor factors = numbers({11});
  at::Tensor at_once = x.clone(), in_turn = x.clone();
  ours.add(kPicked, factors.data_ptr<double>(), at_once.data_ptr<float>());
  for (std::size_t k = 0; k < kPicked.size(); ++k) {
    ours.add({&kPicked[k], 1}, factors.data_ptr<double>() + k, in_turn.data_ptr<float>());
  }
  EXPECT_TRUE(at_once.equal(in_turn));
}

}  // namespace
}  // namespace entrain
