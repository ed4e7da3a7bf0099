#include "entrain/data/dataset.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <thread>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

/// Six samples of two channels, 3x2, with every pixel different from its neighbours.
Dataset two_channels() {
  Dataset dataset;
  dataset.name = "test";
  dataset.train = {
      at::arange(6 * 2 * 3 * 2).mul(53).remainder(256).to(at::kByte).view({6, 2, 3, 2}),
      at::arange(10, 16, at::kLong)};
  dataset.classes = 16;
  dataset.mean = {0.25, 0.5};
  dataset.deviation = {0.5, 0.125};
  return dataset;
}

/// The definition, by ATen in double.
at::Tensor normalised(const Dataset& dataset, const std::vector<std::int64_t>& indices) {
  const at::Tensor mean = at::tensor(dataset.mean, at::kDouble).view({1, -1, 1, 1});
  const at::Tensor deviation = at::tensor(dataset.deviation, at::kDouble).view({1, -1, 1, 1});
  const at::Tensor chosen = dataset.train.inputs.index_select(0, at::tensor(indices, at::kLong));
  return (chosen.to(at::kDouble) / 255 - mean) / deviation;
}

TEST(Gather, NormalisesEachChannelInTheOrderAsked) {
  const Dataset dataset = two_channels();
  const std::vector<std::int64_t> indices{5, 0, 3, 3};
  const Batch batch = gather(dataset, dataset.train, indices, at::kDouble);
  EXPECT_EQ(batch.inputs.sizes(), (std::vector<std::int64_t>{4, 2, 3, 2}));
  EXPECT_LT((batch.inputs - normalised(dataset, indices)).abs().max().item<double>(), 1e-14);
  EXPECT_TRUE(at::equal(batch.labels, at::tensor({15, 10, 13, 13}, at::kLong)));
}

TEST(Gather, FloatIsTheRoundedDouble) {
  const Dataset dataset = two_channels();
  const std::vector<std::int64_t> indices{1, 2, 4};
  const Batch exact = gather(dataset, dataset.train, indices, at::kDouble);
  const Batch rounded = gather(dataset, dataset.train, indices, at::kFloat);
  EXPECT_EQ(rounded.inputs.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(rounded.inputs, exact.inputs.to(at::kFloat)));
}

TEST(Gather, GivesAnEmptyBatchForNoIndices) {
  const Dataset dataset = two_channels();
  const Batch batch = gather(dataset, dataset.train, {}, at::kFloat);
  EXPECT_EQ(batch.inputs.size(0), 0);
  EXPECT_EQ(batch.labels.numel(), 0);
}

TEST(Gather, ServesThreadsAtOnce) {
  const Dataset dataset = two_channels();
  const std::vector<std::int64_t> indices{4, 1, 0, 5, 2};
  const at::Tensor expected = gather(dataset, dataset.train, indices, at::kFloat).inputs;
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      for (int round = 0; round < 100; ++round)
        equal[i] += at::equal(gather(dataset, dataset.train, indices, at::kFloat).inputs, expected);
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 100));
}

TEST(Gather, RefusesAnIndexOutsideTheSamples) {
  const Dataset dataset = two_channels();
  for (const std::int64_t wrong : {-1, 6}) {
    const std::vector<std::int64_t> indices{0, wrong};
    EXPECT_THROW(gather(dataset, dataset.train, indices, at::kFloat), std::logic_error);
  }
}

TEST(DatasetTable, NamesAreUniqueAndEveryEntryCanBeShown) {
  std::vector<std::string> names;
  for (const DatasetEntry& entry : dataset_table()) {
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    EXPECT_EQ(entry.needs_files(), !entry.places.empty()) << entry.name;
    EXPECT_EQ(&dataset_entry(entry.name), &entry);
    names.push_back(entry.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"glyphs", "mnist", "cifar10"}));
}

TEST(LoadDataset, AnUnknownNameGetsASuggestion) {
  const std::string message = message_of<UsageError>([] { load_dataset("mnsit", "data"); });
  expect_mentions(message, {"'mnsit'", "mnist"});
}

TEST(LoadDataset, FindsTheFolderOfTheNameUnderTheRoot) {
  const TestFolder root;
  write_tiny_mnist(root / "mnist");
  const Dataset dataset = load_dataset("mnist", root.path());
  EXPECT_EQ(dataset.name, "mnist");
  EXPECT_EQ(dataset.train.labels.numel(), 12);
}

TEST(LoadDataset, GlyphsNeedNoFolder) {
  const Dataset dataset = load_dataset("glyphs", "no/such/folder");
  EXPECT_EQ(dataset.train.inputs.sizes(), (std::vector<std::int64_t>{10'000, 1, 28, 28}));
  EXPECT_EQ(dataset.test.inputs.sizes(), (std::vector<std::int64_t>{2'000, 1, 28, 28}));
}

}  // namespace
}  // namespace entrain
