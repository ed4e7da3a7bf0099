#include "entrain/model/linear_loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

constexpr std::int64_t kCount = 50;

struct Sloped {
  double loss;
  at::Tensor slopes;  // [classes, count]
};

Sloped sloped(Loss loss, const at::Tensor& scores, const at::Tensor& labels) {
  Sloped result{0, at::empty_like(scores)};
  result.loss = derivatives(loss, scores.size(1), scores.size(0), scores.data_ptr<double>(),
                            labels.data_ptr<double>(), result.slopes.data_ptr<double>());
  return result;
}

at::Tensor signs() { return at::sign(numbers({kCount}, 1, 7)); }
at::Tensor classes(std::int64_t count) { return at::arange(kCount, at::kDouble).remainder(count); }

TEST(LinearLoss, ExponentialsAreThoseOfTheLibrary) {
  for (double a = 0; a > -708; a -= 0.0137) {
    double ours = 0;
    exponentials(1, &a, &ours);
    ASSERT_NEAR(ours / std::exp(a), 1, 5e-16) << "e^" << a;
  }
  const std::vector<double> far = {-709, -1e10, -std::numeric_limits<double>::infinity(), 0, -0.0};
  std::vector<double> ours(far.size());
  exponentials(5, far.data(), ours.data());
  for (int i = 0; i < 3; ++i) EXPECT_LT(ours[i], 1e-300);
  EXPECT_EQ(ours[3], 1);
  EXPECT_EQ(ours[4], 1);
}

TEST(LinearLoss, LogisticIsExactAtAnyMargin) {
  for (const double score :
       {0.0, 1e-9, 0.3, -0.3, 7.0, -7.0, 36.0, -36.0, 700.0, -700.0, 1e5, -1e5}) {
    for (const double label : {-1.0, 1.0}) {
      double slope = 0;
      const double loss = derivatives(Loss::logistic, 1, 1, &score, &label, &slope);
      const double m = label * score;
      const double wanted = m > 0 ? std::log1p(std::exp(-m)) : -m + std::log1p(std::exp(m));
      EXPECT_NEAR(loss, wanted, 3e-16 * (1 + wanted)) << "score " << score;
      EXPECT_NEAR(slope, -label / (1 + std::exp(m)), 1e-15) << "score " << score;
      EXPECT_EQ(sum_of_losses(Loss::logistic, 1, 1, &score, &label), loss);
    }
  }
}

TEST(LinearLoss, SumsLogisticLossesOfManySamplesByOneLogarithm) {
  const at::Tensor scores = numbers({512}, 20), labels = at::sign(numbers({512}, 1, 3));
  const at::Tensor wanted = at::softplus(-scores * labels, 1, 1000).sum();
  EXPECT_NEAR(
      sum_of_losses(Loss::logistic, 512, 1, scores.data_ptr<double>(), labels.data_ptr<double>()) /
          wanted.item<double>(),
      1, 1e-15);
}

TEST(LinearLoss, SoftmaxIsTorchsCrossEntropy) {
  for (const std::int64_t count : {2, 3, 10}) {
    at::Tensor scores = numbers({count, kCount}, 5);
    scores.select(1, 0).fill_(-1e4);
    scores[1][0] = 1e4;
    const at::Tensor labels = classes(count);
    const Sloped ours = sloped(Loss::softmax, scores, labels);
    const at::Tensor own = labels.to(at::kLong);
    EXPECT_NEAR(ours.loss, at::cross_entropy_loss(scores.t(), own).item<double>() * kCount,
                1e-15 * ours.loss);
    at::Tensor slopes = at::softmax(scores, 0);
    slopes.scatter_add_(0, own.unsqueeze(0), at::full({1, kCount}, -1, at::kDouble));
    expect_near(ours.slopes, slopes, 1e-15);
    EXPECT_NEAR(sum_of_losses(Loss::softmax, kCount, count, scores.data_ptr<double>(),
                              labels.data_ptr<double>()),
                ours.loss, 1e-15 * ours.loss);
  }
}

TEST(LinearLoss, SlopesAndCurvaturesAreDerivatives) {
  constexpr double h = 1e-5;
  for (const Loss loss : {Loss::logistic, Loss::squared, Loss::softmax}) {
    const std::int64_t count = loss == Loss::softmax ? 4 : 1;
    const at::Tensor labels = loss == Loss::softmax ? classes(4) : signs();
    const at::Tensor scores = numbers({count, kCount}, 2), change = numbers({count, kCount}, 1, 9);
    const Sloped above = sloped(loss, scores + h * change, labels);
    const Sloped below = sloped(loss, scores - h * change, labels);
    const at::Tensor slopes = sloped(loss, scores, labels).slopes;
    EXPECT_NEAR((slopes * change).sum().item<double>(), (above.loss - below.loss) / (2 * h), 1e-7);
    at::Tensor curvature = at::zeros_like(scores), bent = change.clone();
    curvatures(loss, kCount, count, scores.data_ptr<double>(), curvature.data_ptr<double>());
    curved(loss, kCount, count, curvature.data_ptr<double>(), bent.data_ptr<double>());
    expect_near(bent, (above.slopes - below.slopes) / (2 * h), 1e-8);
  }
}

TEST(LinearLoss, KeepsWhatIsNotANumber) {
  const double score = std::numeric_limits<double>::quiet_NaN(), label = 1;
  double slope = 0;
  EXPECT_TRUE(std::isnan(derivatives(Loss::logistic, 1, 1, &score, &label, &slope)));
  EXPECT_TRUE(std::isnan(slope));
  EXPECT_TRUE(std::isnan(sum_of_losses(Loss::logistic, 1, 1, &score, &label)));
}

}  // namespace
}  // namespace entrain
