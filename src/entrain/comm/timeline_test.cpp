#include "entrain/comm/timeline.h"

#include <gtest/gtest.h>

#include "entrain/comm/decorator.h"
#include "entrain/comm/local.h"

namespace entrain {
namespace {

// A process whose clock, and whose exchanges, stand where the test puts them.
struct Staged : Decorator {
  using Decorator::Decorator;
  double now() const override { return time; }
  double time = 0;
};

struct StagedExchange : Exchange {
  StagedExchange(Staged& stage, double arrives) : stage(stage), arrives(arrives) {}
  bool done() override { return stage.time >= arrives; }
  void wait() override { stage.time = std::max(stage.time, arrives); }
  double finished_at() const override { return arrives; }
  Staged& stage;
  double arrives;
};

struct Stage {
  std::unique_ptr<Communicator> alone = local_communicator(1);
  Staged comm{*alone};
  Timeline timeline{comm};

  void pass(double seconds, Activity activity) {
    const auto scope = timeline.during(activity);
    comm.time += seconds;
  }
  std::unique_ptr<Exchange> launch(double takes) {
    return timeline.under_way(
        [&] { return std::make_unique<StagedExchange>(comm, comm.time + takes); });
  }
};

TEST(Timeline, EveryInstantBelongsToTheInnermostScope) {
  Stage stage;
  stage.timeline.restart(100);
  {
    const auto computing = stage.timeline.during(Activity::compute);
    stage.comm.time += 1;
    {
      const auto landing = stage.timeline.during(Activity::land);
      stage.pass(2, Activity::wait);
      stage.comm.time += 4;
    }
    stage.comm.time += 8;
  }
  stage.comm.time += 16;
  EXPECT_EQ(stage.timeline.seconds(Activity::compute), 9);
  EXPECT_EQ(stage.timeline.seconds(Activity::wait), 2);
  EXPECT_EQ(stage.timeline.seconds(Activity::land), 4);
  EXPECT_EQ(stage.timeline.seconds(Activity::other), 16);
  std::vector<std::pair<std::string, double>> spans;
  for (const TimeSpan& span : stage.timeline.spans()) {
    spans.push_back({name_of(span.activity), span.end - span.begin});
  }
  EXPECT_EQ(spans, (std::vector<std::pair<std::string, double>>{
                       {"compute", 1}, {"wait", 2}, {"land", 4}, {"compute", 8}}));
}

TEST(Timeline, AMessageIsHiddenWhileNobodyWaits) {
  Stage stage;
  const auto message = stage.launch(10);
  stage.pass(7, Activity::compute);
  message->wait();
  EXPECT_EQ(stage.timeline.seconds(Activity::wait), 3);
  EXPECT_EQ(stage.timeline.seconds(Activity::transfer), 10);
  EXPECT_EQ(stage.timeline.hidden_seconds(), 7);
}

// It arrived long before anybody looked.
TEST(Timeline, ATransferEndsWhenItsResultWasThere) {
  Stage stage;
  const auto message = stage.launch(2);
  stage.pass(7, Activity::compute);
  message->wait();
  EXPECT_EQ(stage.timeline.seconds(Activity::wait), 0);
  EXPECT_EQ(stage.timeline.hidden_seconds(), 2);
}

// Of messages under way at a time the time counts once, and what is waited for any of them is
// exposed.
TEST(Timeline, OverlappingMessagesHideNoMoreThanTheTimeThatPasses) {
  Stage stage;
  const auto first = stage.launch(10);  // 0 .. 10
  stage.pass(2, Activity::compute);
  const auto second = stage.launch(12);  // 2 .. 14
  const auto third = stage.launch(1);    // 2 .. 3
  stage.pass(4, Activity::compute);      // until 6
  first->wait();                         // until 10
  stage.pass(1, Activity::land);
  const auto fourth = stage.launch(9);  // 11 .. 20
  second->wait();                       // until 14
  third->wait();
  stage.pass(1, Activity::compute);  // until 15
  fourth->wait();
  EXPECT_EQ(stage.timeline.seconds(Activity::transfer), 10 + 12 + 1 + 9);
  EXPECT_EQ(stage.timeline.seconds(Activity::wait), 4 + 3 + 5);
  EXPECT_EQ(stage.timeline.hidden_seconds(), 6 + 1 + 1);
}

TEST(Timeline, AMessageThatNeverLandedIsNotCounted) {
  Stage stage;
  {
    const auto lost = stage.launch(1);
    stage.pass(5, Activity::compute);
  }
  EXPECT_EQ(stage.timeline.seconds(Activity::transfer), 0);
  EXPECT_EQ(stage.timeline.hidden_seconds(), 0);
  stage.timeline.restart();  // nothing is under way
}

TEST(Timeline, KeepsTheFirstSpansAndCountsTheOthers) {
  Stage stage;
  stage.timeline.restart(3);
  for (int i = 0; i < 5; ++i) stage.pass(1, Activity::compute);
  EXPECT_EQ(stage.timeline.spans().size(), 3u);
  EXPECT_EQ(stage.timeline.left_out(), 2);
  EXPECT_EQ(stage.timeline.seconds(Activity::compute), 5);
}

TEST(Timeline, KeepsNoSpansUnlessAsked) {
  Stage stage;
  stage.pass(1, Activity::compute);
  EXPECT_TRUE(stage.timeline.spans().empty());
  EXPECT_EQ(stage.timeline.left_out(), 0);
}

TEST(Timeline, AnActivityWithinItselfIsOneSpan) {
  Stage stage;
  stage.timeline.restart(10);
  {
    const auto launching = stage.timeline.during(Activity::launch);
    stage.comm.time += 1;
    stage.pass(1, Activity::launch);
    stage.comm.time += 1;
  }
  ASSERT_EQ(stage.timeline.spans().size(), 1u);
  EXPECT_EQ(stage.timeline.spans()[0].end, 3);
}

}  // namespace
}  // namespace entrain
