#include "entrain/strategy/slice.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/core/seeds.h"
#include "entrain/core/test_refusal.h"
#include "entrain/strategy/algorithms.h"
#include "entrain/strategy/schedule_report.h"

namespace entrain {
namespace {

// A model of so many layers of one to three tensors of random sizes.
Layout random_layout(Stream& random, int layers) {
  std::vector<NamedTensor> tensors;
  for (int layer = 0; layer < layers; ++layer) {
    for (std::uint64_t t = 0; t <= random.below(3); ++t) {
      const auto size = static_cast<std::int64_t>(1 + random.below(40));
      tensors.push_back({fmt::format("block{}.tensor{}", layer, t), at::zeros({size})});
    }
  }
  return Layout::of(tensors);
}

TEST(Slice, FragmentsAreAllColumnsEachOnce) {
  Stream random(1, Purpose::shuffle);
  for (int trial = 0; trial < 200; ++trial) {
    const auto layers = static_cast<int>(1 + random.below(12));
    const Layout layout = random_layout(random, layers);
    const auto of = static_cast<std::int64_t>(1 + random.below(layers));
    for (bool strided : {true, false}) {
      std::vector<int> covered(layout.columns);
      for (std::int64_t index = 0; index < of; ++index) {
        for (const Span& span : columns_of(fragment(index, of, strided), layout)) {
          for (std::int64_t j = 0; j < span.count; ++j) ++covered.at(span.begin + j);
        }
      }
      EXPECT_EQ(covered, std::vector<int>(layout.columns, 1)) << of << " of " << layers;
    }
  }
}

TEST(Slice, LayersStayWhole) {
  std::vector<NamedTensor> tensors;
  for (const char* name : {"a.weight", "a.bias", "b.weight", "b.bias", "c.weight"}) {
    tensors.push_back({name, at::zeros({16})});
  }
  const Layout layout = Layout::of(tensors);  // 16 columns each
  const auto begins = [&](std::int64_t index, bool strided) {
    std::vector<std::pair<std::int64_t, std::int64_t>> all;
    for (const Span& span : columns_of(fragment(index, 2, strided), layout)) {
      all.emplace_back(span.begin, span.count);
    }
    return all;
  };
  using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;
  EXPECT_EQ(begins(0, true), (Spans{{0, 32}, {64, 16}})) << "a and c";
  EXPECT_EQ(begins(1, true), (Spans{{32, 32}})) << "b";
  EXPECT_EQ(begins(0, false), (Spans{{0, 64}})) << "a and b";
  EXPECT_EQ(begins(1, false), (Spans{{64, 16}})) << "c";
  EXPECT_NE(refusal_of([&] { columns_of(fragment(0, 4), layout); }).find("only 3 layers"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { fragment(2, 2); }).find("index must be from 0 to below of"),
            std::string::npos);
}

// In any h steps after the first h, each fragment of Streaming DiLoCo is due once.
TEST(Slice, EachFragmentIsDueOnceAPeriod) {
  for (std::int64_t h : {1, 5, 12, 30}) {
    for (std::int64_t fragments : {1, 2, 3, 7}) {
      const Strategy strategy = streaming_diloco({h, fragments, 0, 1});
      ASSERT_EQ(strategy.parameters.size(), static_cast<std::size_t>(fragments));
      for (const ParameterRound& round : strategy.parameters) {
        const auto due = due_steps(round.when, 20 * h, 0.1);
        EXPECT_LE(due.front(), h);
        for (std::size_t i = 1; i < due.size(); ++i) EXPECT_EQ(due[i] - due[i - 1], h);
      }
    }
  }
}

}  // namespace
}  // namespace entrain
