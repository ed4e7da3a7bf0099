#include "entrain/data/glyphs.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

at::Tensor as_rows(const at::Tensor& images) { return images.flatten(1).to(at::kFloat) / 255; }

TEST(Glyphs, HaveBalancedLabelsAndTheShapeOfMnist) {
  const Dataset dataset = glyphs(200, 50);
  EXPECT_EQ(dataset.name, "glyphs");
  EXPECT_EQ(dataset.classes, 10);
  EXPECT_TRUE(dataset.warnings.empty());
  EXPECT_EQ(dataset.train.inputs.sizes(), (std::vector<std::int64_t>{200, 1, 28, 28}));
  EXPECT_EQ(dataset.test.inputs.sizes(), (std::vector<std::int64_t>{50, 1, 28, 28}));
  EXPECT_TRUE(at::equal(dataset.train.labels, at::arange(200, at::kLong).remainder(10)));
}

TEST(Glyphs, ASmallerSetIsTheBeginningOfALarger) {
  const Dataset small = glyphs(30, 10), large = glyphs(300, 40);
  EXPECT_TRUE(at::equal(small.train.inputs, large.train.inputs.narrow(0, 0, 30)));
  EXPECT_TRUE(at::equal(small.test.inputs, large.test.inputs.narrow(0, 0, 10)));
}

TEST(Glyphs, TrainingAndTestSamplesAreAllDifferent) {
  const Dataset dataset = glyphs(500, 500);
  const at::Tensor all = at::cat({dataset.train.inputs, dataset.test.inputs}).flatten(1);
  EXPECT_EQ(std::get<0>(at::unique_dim(all, 0)).size(0), 1000);
}

TEST(Glyphs, MeanAndDeviationAreThoseOfTheTrainingSamples) {
  const Dataset dataset = glyphs();
  const at::Tensor pixels = as_rows(dataset.train.inputs);
  EXPECT_NEAR(pixels.mean().item<double>(), dataset.mean[0], 1e-3);
  EXPECT_NEAR(pixels.std().item<double>(), dataset.deviation[0], 1e-3);
}

// The mean image of a class is what the simplest linear classifier goes by.
TEST(Glyphs, ClassMeansTellTheClassBetterThanChanceButNotWell) {
  const Dataset dataset = glyphs();
  const at::Tensor images = as_rows(dataset.train.inputs), tests = as_rows(dataset.test.inputs);
  const at::Tensor means = images.view({1000, 10, 784}).mean(0);  // labels are i % 10
  const at::Tensor distance = at::cdist(tests, means);
  const at::Tensor right = distance.argmin(1).eq(dataset.test.labels);
  const double accuracy = right.to(at::kFloat).mean().item<double>();
  EXPECT_GT(accuracy, 0.2);
  EXPECT_LT(accuracy, 0.6);
}

TEST(Glyphs, TheCentreOfTheInkSaysNothingAboutTheClass) {
  const Dataset dataset = glyphs();
  const at::Tensor images = dataset.train.inputs.squeeze(1).to(at::kFloat);
  const at::Tensor along = at::arange(28, at::kFloat);
  for (const int axis : {1, 2}) {
    const at::Tensor profile = images.sum(axis);  // [N, 28]
    const at::Tensor centre = profile.matmul(along) / profile.sum(1);
    const at::Tensor by_class = centre.view({1000, 10}).mean(0);
    EXPECT_LT((by_class.max() - by_class.min()).item<double>(), 0.4) << "axis " << axis;
    EXPECT_GT(centre.std().item<double>(), 0.5) << "axis " << axis;
  }
}

TEST(Glyphs, RefusesEmptyParts) {
  expect_mentions(message_of<UsageError>([] { glyphs(0, 10); }), {"train = 0", "at least 1"});
  expect_mentions(message_of<UsageError>([] { glyphs(10, -1); }), {"test = -1"});
}

}  // namespace
}  // namespace entrain
