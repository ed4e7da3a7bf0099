#include "entrain/data/partition_input.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace entrain {
namespace {

const std::vector<std::vector<double>> table{{0, 1.5, 0}, {0, 0, 0}, {-2, 0, 3}};

LinearData dense_rows(at::ScalarType type) {
  LinearData data;
  data.samples = data.features = 3;
  data.dense = at::empty({3, 3}, type);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) data.dense[i][j] = table[i][j];
  data.labels = at::tensor({2.0, 1.0, 2.0}, at::kDouble);
  return data;
}

LinearData sparse_rows() {
  LinearData data;
  data.samples = data.features = 3;
  data.offsets = at::tensor({0, 1, 1, 3}, at::kLong);
  data.columns = at::tensor({1, 0, 2}, at::kInt);
  data.values = at::tensor({1.5, -2.0, 3.0}, at::kDouble);
  data.labels = at::tensor({0.5, 1.0, 2.0}, at::kDouble);
  return data;
}

void expect_table(const PartitionInput& input) {
  EXPECT_EQ(input.samples, 3);
  EXPECT_EQ(input.features, 3);
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) EXPECT_EQ(input.feature(i, j), table[i][j]) << i << " " << j;
}

TEST(PartitionInput, ReadsFeaturesOfDenseAndSparseRows) {
  expect_table(partition_input(dense_rows(at::kFloat)));
  expect_table(partition_input(dense_rows(at::kDouble)));
  expect_table(partition_input(sparse_rows()));
  LinearData transposed = dense_rows(at::kDouble);
  transposed.dense = transposed.dense.t().contiguous().t();
  expect_table(partition_input(transposed));
}

TEST(PartitionInput, HasLabelsWhereTheyAreClasses) {
  EXPECT_TRUE(
      at::equal(partition_input(dense_rows(at::kFloat)).labels, at::tensor({1, 0, 1}, at::kLong)));
  EXPECT_FALSE(partition_input(sparse_rows()).labels.defined());
}

TEST(PartitionInput, OfImagesHasNoFeatures) {
  const PartitionInput input = partition_input(Samples{{}, at::tensor({3, 1}, at::kLong)});
  EXPECT_EQ(input.samples, 2);
  EXPECT_FALSE(input.feature);
}

}  // namespace
}  // namespace entrain
