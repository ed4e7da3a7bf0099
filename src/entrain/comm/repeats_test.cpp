#include "entrain/comm/repeats.h"

#include <gtest/gtest.h>

namespace entrain {
namespace {

Loss bursty_loss(double good, double bad, double probability) {
  return {call("bursty"), good, bad, probability};
}

TEST(Repeats, NoneWithoutLoss) {
  EXPECT_TRUE(Repeats({}, 4, 1).none());
  Repeats never(bursty_loss(1, 5, 0), 4, 1);
  EXPECT_TRUE(never.none());
  EXPECT_EQ(never.of_next(0, 1000), 0);
}

TEST(Repeats, AreAFunctionOfSeedWorkerAndMessage) {
  const Loss loss = bursty_loss(20, 5, 0.5);
  Repeats one(loss, 2, 7), other(loss, 2, 7), another_seed(loss, 2, 8);
  std::vector<std::int64_t> first, second, seed;
  std::int64_t in_tens = 0, singly = 0;
  for (int message = 0; message < 1000; ++message) {
    singly += one.of_next(0, 1);
    first.push_back(singly);
    second.push_back(other.of_next(1, 1));  // of another worker
    seed.push_back(another_seed.of_next(0, 1));
  }
  for (int ten = 0; ten < 100; ++ten) in_tens += other.of_next(0, 10);
  EXPECT_EQ(in_tens, singly) << "however they are asked for, and whatever others send between";
  EXPECT_NE(first, second);
  EXPECT_NE(first, seed);
}

// q / (1 - q) repeats a message, q = probability bad / (good + bad); the spread of that mean over
// 2,000,000 messages in spells of some 100 is below 1 %.
TEST(Repeats, HaveTheirMean) {
  for (const auto& [good, bad, p] :
       {std::tuple{50.0, 5.0, 0.5}, {20.0, 80.0, 0.3}, {1.0, 3.0, 1.0}}) {
    Repeats repeats(bursty_loss(good, bad, p), 100, 1);
    double sum = 0;
    for (int worker = 0; worker < 100; ++worker) {
      sum += static_cast<double>(repeats.of_next(worker, 20'000));
    }
    const double q = p * bad / (good + bad);
    EXPECT_NEAR(sum / 2e6 / (q / (1 - q)), 1, 0.02) << good << " " << bad << " " << p;
  }
}

// What is lost together shows in the variance: independent losses of the same mean have less.
TEST(Repeats, ComeInBursts) {
  Repeats repeats(bursty_loss(200, 20, 0.5), 1, 1);
  double sum = 0, squares = 0;
  constexpr int windows = 20'000;
  for (int window = 0; window < windows; ++window) {
    const auto count = static_cast<double>(repeats.of_next(0, 20));
    sum += count;
    squares += count * count;
  }
  const double mean = sum / windows, variance = squares / windows - mean * mean;
  const double independent = mean * (1 + mean / 20);  // of 20 geometric numbers of that mean
  EXPECT_GT(variance, 3 * independent);
}

}  // namespace
}  // namespace entrain
