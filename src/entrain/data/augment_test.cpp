#include "entrain/data/augment.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <compare>
#include <map>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace entrain {
namespace {

/// `count` images of which no two pixels are the same, and none is 0.
Batch distinct_images(std::int64_t count, at::ScalarType dtype = at::kDouble,
                      std::int64_t height = 32, std::int64_t width = 32) {
  const at::Tensor pixels = at::arange(1, count * 3 * height * width + 1, dtype);
  return {pixels.view({count, 3, height, width}), at::arange(count, at::kLong)};
}

std::vector<std::int64_t> numbers(std::int64_t count, std::int64_t first = 0) {
  std::vector<std::int64_t> list(count);
  std::iota(list.begin(), list.end(), first);
  return list;
}

at::Tensor augmented(Batch batch, const std::vector<std::int64_t>& indices, std::uint64_t seed = 1,
                     std::int64_t epoch = 0) {
  batch.inputs = batch.inputs.clone();
  augment(batch, indices, seed, epoch);
  return batch.inputs;
}

/// [C, H, W] padded by 4, cropped at (top, left), mirrored or not: the definition.
at::Tensor crop(const at::Tensor& image, int top, int left, bool mirrored) {
  const at::Tensor padded = at::constant_pad_nd(image, {4, 4, 4, 4}, 0);
  const at::Tensor part =
      padded.slice(1, top, top + image.size(1)).slice(2, left, left + image.size(2));
  return mirrored ? part.flip({2}) : part;
}

struct Change {
  int top, left, mirrored;
  auto operator<=>(const Change&) const = default;
};

/// What was done to an image with distinct pixels, told by where its pixel (16, 16) went.
Change change_of(const at::Tensor& before, const at::Tensor& after) {
  const at::Tensor found = (after[0] == before[0][16][16]).nonzero();
  EXPECT_EQ(found.size(0), 1);
  const int y = found[0][0].item<int>(), x = found[0][1].item<int>();
  const bool mirrored = (after[0] == before[0][16][17]).nonzero()[0][1].item<int>() < x;
  return {20 - y, 20 - (mirrored ? 31 - x : x), mirrored};
}

TEST(Augment, EveryImageIsACropOfItsPaddedSelfMaybeMirrored) {
  const Batch batch = distinct_images(64);
  const at::Tensor after = augmented(batch, numbers(64));
  for (int i = 0; i < 64; ++i) {
    const Change change = change_of(batch.inputs[i], after[i]);
    EXPECT_TRUE(
        at::equal(after[i], crop(batch.inputs[i], change.top, change.left, change.mirrored)));
  }
}

TEST(Augment, AllCropsAndBothMirrorImagesOccurEquallyOften) {
  constexpr int images = 16'200;  // 100 for each of 162 changes
  const Batch one = distinct_images(1);
  std::map<Change, int> counts;
  for (int i = 0; i < images; ++i) {
    const std::vector<std::int64_t> index{i};
    ++counts[change_of(one.inputs[0], augmented(one, index)[0])];
  }
  EXPECT_EQ(counts.size(), 162u);
  double chi_squared = 0;
  for (const auto& [change, count] : counts) {
    EXPECT_TRUE(change.top >= 0 && change.top <= 8 && change.left >= 0 && change.left <= 8);
    chi_squared += (count - 100.0) * (count - 100.0) / 100;
  }
  EXPECT_LT(chi_squared, 161 + 4 * std::sqrt(2 * 161.0));
}

TEST(Augment, IsAPureFunctionOfSeedEpochAndSample) {
  const Batch batch = distinct_images(20);
  const std::vector<std::int64_t> indices = numbers(20, 1'000);
  const at::Tensor whole = augmented(batch, indices, 7, 3);
  EXPECT_TRUE(at::equal(augmented(batch, indices, 7, 3), whole));
  for (int i = 0; i < 20; ++i) {  // the place in the batch and its size do not matter
    const Batch alone{batch.inputs.slice(0, i, i + 1), batch.labels.slice(0, i, i + 1)};
    EXPECT_TRUE(at::equal(augmented(alone, {1'000 + i}, 7, 3)[0], whole[i]));
  }
}

TEST(Augment, SeedsEpochsAndSamplesHaveChangesOfTheirOwn) {
  const Batch batch = distinct_images(20);
  const at::Tensor first = augmented(batch, numbers(20), 7, 3);
  EXPECT_FALSE(at::equal(augmented(batch, numbers(20), 8, 3), first));
  EXPECT_FALSE(at::equal(augmented(batch, numbers(20), 7, 4), first));
  EXPECT_FALSE(at::equal(augmented(batch, numbers(20, 20), 7, 3), first));
}

TEST(Augment, FloatIsTheRoundedDouble) {
  const Batch exact = distinct_images(8), rounded = distinct_images(8, at::kFloat);
  EXPECT_TRUE(
      at::equal(augmented(rounded, numbers(8)), augmented(exact, numbers(8)).to(at::kFloat)));
}

TEST(Augment, TakesImagesOfAnySize) {
  const Batch batch = distinct_images(30, at::kDouble, 5, 7);
  const at::Tensor after = augmented(batch, numbers(30));
  for (int i = 0; i < 30; ++i) {
    int same = 0;
    for (int place = 0; place < 162; ++place)
      same += at::equal(after[i], crop(batch.inputs[i], place / 18, place / 2 % 9, place % 2));
    EXPECT_GE(same, 1);
  }
}

TEST(Augment, ServesThreadsAtOnce) {
  const Batch batch = distinct_images(16);
  const at::Tensor expected = augmented(batch, numbers(16));
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 20; ++round)
        equal[i] += at::equal(augmented(batch, numbers(16)), expected);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 20));
}

TEST(Augment, LeavesAnEmptyBatchAndTheLabels) {
  Batch batch = distinct_images(4);
  augment(batch, numbers(4), 1, 0);
  EXPECT_TRUE(at::equal(batch.labels, at::arange(4, at::kLong)));
  Batch none = distinct_images(0);
  augment(none, {}, 1, 0);
  EXPECT_EQ(none.inputs.size(0), 0);
}

TEST(Augment, RefusesWhatGatherDoesNotMake) {
  Batch batch = distinct_images(4);
  EXPECT_THROW(augment(batch, numbers(3), 1, 0), std::logic_error);
  Batch bytes{at::zeros({1, 3, 32, 32}, at::kByte), at::zeros({1}, at::kLong)};
  EXPECT_THROW(augment(bytes, numbers(1), 1, 0), std::logic_error);
  Batch strided{batch.inputs.transpose(2, 3), batch.labels};
  EXPECT_THROW(augment(strided, numbers(4), 1, 0), std::logic_error);
}

}  // namespace
}  // namespace entrain
