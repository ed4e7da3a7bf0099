#include "entrain/comm/agreement.h"

#include <gtest/gtest.h>

#include <barrier>
#include <stdexcept>
#include <thread>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Processes played by threads; they can gather and nothing else.
struct Meeting {
  explicit Meeting(int size) : given(size), arrived(size) {}
  std::vector<std::string> given;
  std::barrier<> arrived;
};

class Attendant : public Communicator {
 public:
  Attendant(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return static_cast<int>(meeting_.given.size()); }
  int local_workers() const override { return 1; }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor&, const at::Tensor&) override {
    throw std::logic_error("agreement needs no mean");
  }
  std::unique_ptr<Exchange> launch_mix(const at::Tensor&, const at::Tensor&,
                                       std::shared_ptr<const Mixing>) override {
    throw std::logic_error("agreement needs no mixing");
  }
  std::unique_ptr<Exchange> launch(Job) override { throw std::logic_error("no job is needed"); }
  std::vector<std::string> gather(const std::string& bytes) override {
    meeting_.given[rank_] = bytes;
    meeting_.arrived.arrive_and_wait();
    return meeting_.given;
  }
  std::int64_t wire_bytes_sent() const override { return 0; }

 private:
  Meeting& meeting_;
  int rank_;
};

// What each rank says if these are the facts of all: empty where it agrees.
std::vector<std::string> verdicts(const std::vector<Facts>& facts) {
  Meeting meeting(static_cast<int>(facts.size()));
  std::vector<std::string> said(facts.size());
  std::vector<std::thread> ranks;
  for (std::size_t rank = 0; rank < facts.size(); ++rank)
    ranks.emplace_back([&, rank] {
      Attendant comm(meeting, static_cast<int>(rank));
      try {
        check_agreement(comm, facts[rank]);
      } catch (const CommunicationError& error) {
        said[rank] = error.what();
      } catch (const std::exception& error) {
        said[rank] = std::string("another exception: ") + error.what();
      }
    });
  for (std::thread& rank : ranks) rank.join();
  return said;
}

std::string difference(int rank, const std::string& fact, const std::string& first,
                       const std::string& other) {
  return "rank 0 and rank " + std::to_string(rank) + " differ in " + fact + ": '" + first +
         "' and '" + other + "'; start all ranks with the same configuration";
}

using Said = std::vector<std::string>;

TEST(Agreement, EqualFactsPass) {
  EXPECT_EQ(verdicts({{}, {}, {}}), Said(3));
  EXPECT_EQ(verdicts({{{"seed", "1"}}}), Said(1));
  const Facts facts = {{"seed", "1"}, {"empty", ""}, {"strategy", "a(1, 2) + b"}, {"last", ""}};
  EXPECT_EQ(verdicts({facts, facts, facts, facts}), Said(4));
}

TEST(Agreement, NamesTheFactTheRanksAndBothTextsOnEveryRank) {
  const Facts ours = {{"seed", "1"}, {"strategy", "local_sgd(8)"}, {"steps", "100"}};
  Facts others = ours;
  others[1].second = "local_sgd(4)";
  const std::string message = difference(2, "strategy", "local_sgd(8)", "local_sgd(4)");
  EXPECT_EQ(verdicts({ours, ours, others}), Said(3, message));
}

TEST(Agreement, NamesTheFirstDifference) {
  const Facts ours = {{"a", "1"}, {"b", "2"}, {"c", "3"}};
  EXPECT_EQ(
      verdicts({ours, {{"a", "1"}, {"b", "x"}, {"c", "y"}}, {{"a", "z"}, {"b", "2"}, {"c", "3"}}}),
      Said(3, difference(1, "b", "2", "x")));
  EXPECT_EQ(verdicts({{{"a", "other"}, {"b", "2"}, {"c", "3"}}, ours, ours}),
            Said(3, difference(1, "a", "other", "1")));
}

TEST(Agreement, BlanksAndEmptyTexts) {
  EXPECT_EQ(verdicts({{{"model", "mlp(64, 10)"}}, {{"model", "mlp(64,  10)"}}}),
            Said(2, difference(1, "model", "mlp(64, 10)", "mlp(64,  10)")));
  EXPECT_EQ(verdicts({{{"a", ""}, {"b", "x"}}, {{"a", "x"}, {"b", ""}}}),
            Said(2, difference(1, "a", "", "x")));
  EXPECT_EQ(verdicts({{{"a", "x"}, {"b", ""}}, {{"a", "x"}, {"b", " "}}}),
            Said(2, difference(1, "b", "", " ")));
}

// A text may hold any byte, also the one that a simple encoding would take for its end.
TEST(Agreement, AnyByteOfATextCounts) {
  const auto expect_difference_in_a = [](const Facts& first, const Facts& other) {
    for (const std::string& said : verdicts({first, other}))
      EXPECT_EQ(said.find("rank 0 and rank 1 differ in a: '"), 0u) << said;
  };
  const std::string one("x\0y", 3), other("x\0z", 3);
  expect_difference_in_a({{"a", "line\nline"}}, {{"a", "line\nother"}});
  expect_difference_in_a({{"a", one}}, {{"a", other}});
  expect_difference_in_a({{"a", one}, {"b", "z"}}, {{"a", "x"}, {"b", std::string("y\0z", 3)}});
  expect_difference_in_a({{"a", "1:x"}, {"b", "y"}}, {{"a", "1"}, {"b", "x1:y"}});
}

// Ranks of two versions of the program may not even have as many facts.
TEST(Agreement, AnotherNumberOfFactsIsADifferenceToAll) {
  const Facts two = {{"a", "1"}, {"b", "1"}},
              four = {{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}};
  for (const std::vector<Facts>& facts : {std::vector<Facts>{two, four}, {four, two}})
    for (const std::string& said : verdicts(facts))
      EXPECT_NE(said.find("rank 1"), said.npos) << said;
}

}  // namespace
}  // namespace entrain
