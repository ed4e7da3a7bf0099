#include "entrain/comm/place.h"

#include <gtest/gtest.h>

#include <vector>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Variables = std::map<std::string, std::string>;

const Variables kPlaced = {
    {"RANK", "2"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "29500"}};

Variables with(const std::string& name, const std::string& text) {
  Variables variables = kPlaced;
  variables[name] = text;
  return variables;
}

Variables without(const std::string& name) {
  Variables variables = kPlaced;
  variables.erase(name);
  return variables;
}

std::string place_refusal(const Variables& variables) {
  try {
    place_from(variables);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Place, AloneWithoutRankAndWorldSize) {
  const std::vector<Variables> all = {
      {},
      {{"MASTER_ADDR", "node-0"}, {"MASTER_PORT", "no port"}, {"LOCAL_RANK", "9"}, {"Rank", "1"}}};
  for (const Variables& variables : all) {
    const Place place = place_from(variables);
    EXPECT_EQ(place.rank, 0);
    EXPECT_EQ(place.size, 1);
    EXPECT_EQ(place.local_rank, 0);
    EXPECT_EQ(place.local_size, 1);
    EXPECT_EQ(place.address, "");
    EXPECT_FALSE(place.store_elsewhere);
    EXPECT_EQ(place.launcher, "none");
  }
}

TEST(Place, WhatMustBeSet) {
  const Place place = place_from(kPlaced);
  EXPECT_EQ(place.rank, 2);
  EXPECT_EQ(place.size, 4);
  EXPECT_EQ(place.local_rank, 0);
  EXPECT_EQ(place.local_size, 1);
  EXPECT_EQ(place.address, "node-0");
  EXPECT_EQ(place.port, 29500);
  EXPECT_FALSE(place.store_elsewhere);
  EXPECT_EQ(place.attempt, "0");
  EXPECT_EQ(place.launcher, "environment");
}

TEST(Place, WhatMayBeSet) {
  Variables variables = kPlaced;
  variables.insert({{"LOCAL_RANK", "1"},
                    {"LOCAL_WORLD_SIZE", "2"},
                    {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                    {"TORCHELASTIC_RESTART_COUNT", "3"},
                    {"TORCHELASTIC_RUN_ID", "none"}});
  const Place place = place_from(variables);
  EXPECT_EQ(place.local_rank, 1);
  EXPECT_EQ(place.local_size, 2);
  EXPECT_TRUE(place.store_elsewhere);
  EXPECT_EQ(place.attempt, "3");
  EXPECT_EQ(place.launcher, "torchrun");
  variables["ENTRAIN_LAUNCH"] = "1234";
  EXPECT_EQ(place_from(variables).launcher, "entrain launch");
}

TEST(Place, RankZeroHostsTheStoreUnlessTheAgentSaysTrue) {
  for (const char* text : {"False", "", "true", "1"})
    EXPECT_FALSE(place_from(with("TORCHELASTIC_USE_AGENT_STORE", text)).store_elsewhere) << text;
}

TEST(Place, NamesTheVariableThatIsMissing) {
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_PORT"}) {
    EXPECT_EQ(place_refusal(without(name)),
              std::string(name) +
                  " is not set, but RANK or WORLD_SIZE is: a launcher sets RANK, WORLD_SIZE, "
                  "MASTER_ADDR and MASTER_PORT; unset them all to run alone");
  }
  const std::string no_address =
      "MASTER_ADDR is not set: it is the address at which rank 0 is reached";
  EXPECT_EQ(place_refusal(without("MASTER_ADDR")), no_address);
  EXPECT_EQ(place_refusal(with("MASTER_ADDR", "")), no_address);
}

TEST(Place, QuotesTheVariableThatIsOutOfRange) {
  struct Range {
    std::string name;
    std::vector<std::string> bad;
    std::string range;
  };
  const Range ranges[] = {
      {"RANK", {"4", "-1", "99999999999999999999"}, "0 to 3"},
      {"WORLD_SIZE", {"0", "-4", "1048577"}, "1 to 1048576"},
      {"LOCAL_RANK", {"4", "-1"}, "0 to 3"},
      {"LOCAL_WORLD_SIZE", {"0", "5"}, "1 to 4"},
      {"MASTER_PORT", {"0", "65536", "-1"}, "1 to 65535"},
  };
  for (const auto& [name, bad, range] : ranges) {
    std::vector<std::string> texts = {"", "two", "2.0", "2 ", " 2", "0x2", "+2"};
    texts.insert(texts.end(), bad.begin(), bad.end());
    for (const std::string& text : texts)
      EXPECT_EQ(place_refusal(with(name, text)),
                name + "=" + text + ": must be an integer from " + range);
  }
}

TEST(Place, TheBordersAreIn) {
  EXPECT_EQ(place_from(with("RANK", "3")).rank, 3);
  EXPECT_EQ(place_from(with("RANK", "0")).rank, 0);
  EXPECT_EQ(place_from(with("LOCAL_RANK", "3")).local_rank, 3);
  EXPECT_EQ(place_from(with("LOCAL_WORLD_SIZE", "4")).local_size, 4);
  EXPECT_EQ(place_from(with("MASTER_PORT", "65535")).port, 65535);
  EXPECT_EQ(place_from(with("MASTER_PORT", "1")).port, 1);
  EXPECT_EQ(place_from(with("WORLD_SIZE", "1048576")).size, 1048576);
}

}  // namespace
}  // namespace entrain
