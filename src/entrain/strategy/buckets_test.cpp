#include "entrain/strategy/buckets.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace entrain {
namespace {

// Tensors of 16, 32, 48 and 16 columns: whole cache lines, so that none is padded.
Layout four_tensors() {
  std::vector<NamedTensor> tensors;
  for (const std::int64_t items : {16, 32, 48, 16}) {
    tensors.push_back({"t" + std::to_string(tensors.size()), at::zeros({items})});
  }
  return Layout::of(tensors);
}

std::vector<std::pair<std::int64_t, std::int64_t>> pairs(const std::vector<Span>& spans) {
  std::vector<std::pair<std::int64_t, std::int64_t>> all;
  for (const Span& span : spans) all.emplace_back(span.begin, span.count);
  return all;
}

using Pairs = std::vector<std::pair<std::int64_t, std::int64_t>>;

TEST(Buckets, HoldWholeTensorsTheLastFirst) {
  const Layout layout = four_tensors();
  EXPECT_EQ(pairs(buckets_of(layout, 4)), (Pairs{{96, 16}, {48, 48}, {16, 32}, {0, 16}}));
  EXPECT_EQ(pairs(buckets_of(layout, 64 * 4)), (Pairs{{48, 64}, {0, 48}}));
  EXPECT_EQ(pairs(buckets_of(layout, 65 * 4)), (Pairs{{16, 96}, {0, 16}}));
}

TEST(Buckets, AreOneWhereNoPartIsWorthwhile) {
  const Layout layout = four_tensors();
  EXPECT_EQ(pairs(buckets_of(layout, {})), (Pairs{{0, 112}}));
  EXPECT_EQ(pairs(buckets_of(layout, 1 << 20)), (Pairs{{0, 112}}));
}

TEST(Buckets, AreNeverOfNothing) {
  const Layout layout = Layout::of({{"first", at::zeros({0})},
                                    {"a", at::zeros({16})},
                                    {"between", at::zeros({0})},
                                    {"b", at::zeros({16})},
                                    {"last", at::zeros({0})}});
  EXPECT_EQ(pairs(buckets_of(layout, 4)), (Pairs{{16, 16}, {0, 16}}));
  EXPECT_EQ(pairs(buckets_of(layout, {})), (Pairs{{0, 32}}));
}

TEST(Buckets, CoverThePaddingToo) {
  const Layout layout =
      Layout::of({{"a", at::zeros({3})}, {"b", at::zeros({5})}, {"c", at::zeros({1})}});
  EXPECT_EQ(pairs(buckets_of(layout, 4)), (Pairs{{32, 16}, {16, 16}, {0, 16}}));
}

}  // namespace
}  // namespace entrain
