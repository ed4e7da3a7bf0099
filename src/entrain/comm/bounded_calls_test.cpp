#include "entrain/comm/bounded_calls.h"

#include <gtest/gtest.h>

#include <thread>

namespace entrain {
namespace {

using std::chrono::milliseconds;

TEST(BoundedCalls, GiveAndRethrow) {
  BoundedCalls calls;
  const auto answer = std::make_shared<int>(0);
  calls.make([answer] { *answer = 7; }, std::chrono::seconds(30));
  EXPECT_EQ(*answer, 7);
  EXPECT_THROW(calls.make([] { throw std::out_of_range("no such key"); }, std::chrono::seconds(30)),
               std::out_of_range);
  calls.begin([answer] { *answer = 8; }).get();
  EXPECT_EQ(*answer, 8);
}

TEST(BoundedCalls, OneThatDoesNotComeBackIsLeftBehind) {
  const auto let_go = std::make_shared<std::promise<void>>();
  {
    BoundedCalls calls;
    const auto stuck = [let_go] { let_go->get_future().wait(); };
    EXPECT_THROW(calls.make(stuck, milliseconds(100)), NoAnswer);
    EXPECT_THROW(calls.make([] {}, std::chrono::seconds(30)), NoAnswer);
    EXPECT_THROW(calls.begin([] {}), NoAnswer);
  }
  let_go->set_value();
}

TEST(BoundedCalls, AreGivenUpFromAnotherThread) {
  const auto let_go = std::make_shared<std::promise<void>>();
  BoundedCalls calls;
  std::thread other([&] {
    EXPECT_THROW(calls.make([let_go] { let_go->get_future().wait(); }, std::chrono::hours(1)),
                 NoAnswer);
  });
  calls.give_up();
  other.join();
  let_go->set_value();
}

}  // namespace
}  // namespace entrain
