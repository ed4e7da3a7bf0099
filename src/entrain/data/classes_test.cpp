#include "entrain/data/classes.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <limits>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

at::Tensor labels_of(const std::vector<double>& labels) { return at::tensor(labels, at::kDouble); }

TEST(Classes, AreTheDistinctLabelsAscending) {
  EXPECT_EQ(classes_of(labels_of({1, -1, -1, 1})), (std::vector<double>{-1, 1}));
  EXPECT_EQ(classes_of(labels_of({3, 1, 2, 3})), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(classes_of(labels_of({})), std::vector<double>{});
}

TEST(Classes, AreNumberedFromZero) {
  const at::Tensor classes = class_labels(labels_of({7, -2, 3, 7}));
  EXPECT_EQ(classes.scalar_type(), at::kLong);
  EXPECT_TRUE(at::equal(classes, at::tensor({2, 0, 1, 2}, at::kLong)));
}

TEST(Classes, OfTwoArePlusOneWhereTheLabelIsOne) {
  EXPECT_TRUE(at::equal(binary_labels(labels_of({-1, 1, 1})), labels_of({-1, 1, 1})));
  EXPECT_TRUE(at::equal(binary_labels(labels_of({0, 1, 1})), labels_of({-1, 1, 1})));
  EXPECT_TRUE(at::equal(binary_labels(labels_of({2, 1, 1})), labels_of({-1, 1, 1})));
  EXPECT_TRUE(at::equal(binary_labels(labels_of({4, 2, 2})), labels_of({1, -1, -1})));
  EXPECT_TRUE(at::equal(binary_labels(labels_of({0, 1}).to(at::kFloat)), labels_of({-1, 1})));
}

TEST(Classes, OfAnotherNumberThanTwoAreNoBinaryLabels) {
  expect_mentions(message_of<DataError>([] {
                    binary_labels(labels_of({1, 2, 3}));
                  }),
                  {"3 classes (1, 2, 3)", "two"});
  expect_mentions(message_of<DataError>([] {
                    binary_labels(labels_of({1, 1}));
                  }),
                  {"1 class (1)", "two"});
  const at::Tensor many = at::arange(50, at::kDouble);
  expect_mentions(message_of<DataError>([&] { binary_labels(many); }), {"50 classes", "9, ...)"});
}

TEST(Classes, AreWholeNumbersAndAtMostAThousand) {
  expect_mentions(message_of<DataError>([] {
                    classes_of(labels_of({1, 2.5}));
                  }),
                  {"sample 2", "2.5", "whole numbers"});
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_THROW(class_labels(labels_of({infinity})), DataError);
  EXPECT_EQ(classes_of(at::arange(1000, at::kDouble)).size(), 1000u);
  expect_mentions(message_of<DataError>([] { classes_of(at::arange(1001, at::kDouble)); }),
                  {"more than 1000"});
}

}  // namespace
}  // namespace entrain
