#include "entrain/strategy/advice.h"

#include <gtest/gtest.h>

#include "entrain/strategy/strategy_text.h"

namespace entrain {
namespace {

// The advice on a strategy, in one text.
std::string advice_on(const std::string& strategy, int n, bool lossless = false) {
  std::string text;
  for (const auto& sentence : advice(parse_strategy(strategy, {.workers = n}), n, lossless)) {
    text += sentence + "\n";
  }
  return text;
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

TEST(Advice, IsGivenWhereItIsNeeded) {
  EXPECT_EQ(advice_on("local_sgd(8)", 6), "");
  EXPECT_TRUE(mentions(advice_on("overlap_local_sgd(8)", 6), "effective step of this strategy is"));
  EXPECT_TRUE(mentions(advice_on("gossip(one_peer_exponential)", 6),
                       "power of two of workers; there are 6"));
  EXPECT_EQ(advice_on("gossip(one_peer_exponential)", 8), "");
  EXPECT_TRUE(mentions(advice_on("gradients(whom=ring)", 6),
                       "never bring the workers' parameters together"));
}

TEST(Advice, SaysWhereLosslessCompressionSavesNothing) {
  const char* const nothing = "lossless compression saves nothing here";
  for (const char* strategy :
       {"synchronous", "diloco(8)", "gossip(ring)", "parameters(when=every(8), codec=int8)"}) {
    EXPECT_TRUE(mentions(advice_on(strategy, 8, true), nothing)) << strategy;
    EXPECT_FALSE(mentions(advice_on(strategy, 8, false), nothing)) << strategy;
  }
  for (const char* strategy :
       {"local_sgd(8)", "overlap_local_sgd(8)", "slowmo(8)", "gossip_pga(ring, 8)"}) {
    EXPECT_FALSE(mentions(advice_on(strategy, 8, true), nothing)) << strategy;
  }
}

}  // namespace
}  // namespace entrain
