#include "entrain/comm/queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

namespace entrain {
namespace {

TEST(Queue, DoesJobsInTheirOrder) {
  std::vector<int> done;
  Queue queue;
  std::vector<std::future<void>> over;
  for (int i = 0; i < 1000; ++i) over.push_back(queue.push([&done, i] { done.push_back(i); }));
  for (auto& one : over) one.get();
  ASSERT_EQ(done.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(done[i], i);
}

TEST(Queue, WorksOnOneThreadThatIsNotTheCallers) {
  Queue queue;
  std::thread::id first, second;
  queue.push([&] { first = std::this_thread::get_id(); }).get();
  queue.push([&] { second = std::this_thread::get_id(); }).get();
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(Queue, PushDoesNotWait) {
  Queue queue;
  std::promise<void> go;
  auto blocked = queue.push([&] { go.get_future().wait(); });
  auto behind = queue.push([] {});
  EXPECT_EQ(blocked.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  EXPECT_EQ(behind.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  go.set_value();
  blocked.get();
  behind.get();
}

TEST(Queue, AJobsExceptionComesOutOfItsFuture) {
  Queue queue;
  auto failing = queue.push([] { throw std::runtime_error("no luck"); });
  auto next = queue.push([] {});
  try {
    failing.get();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no luck");
  }
  EXPECT_NO_THROW(next.get());
}

TEST(Queue, WhatAJobHoldsIsGoneWhenItIsOver) {
  Queue queue;
  const auto held = std::make_shared<int>(1);
  auto over = queue.push([copy = held] { EXPECT_EQ(copy.use_count(), 2); });
  over.wait();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Queue, TheDestructorFinishesWhatHasBegunAndDropsTheRest) {
  std::atomic<bool> begun = false, finished = false, dropped_ran = false;
  std::promise<void> go;
  std::future<void> running, waiting;
  std::thread opener;
  {
    Queue queue;
    running = queue.push([&] {
      begun = true;
      go.get_future().wait();
      finished = true;
    });
    waiting = queue.push([&] { dropped_ran = true; });
    while (!begun) std::this_thread::yield();
    opener = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the destructor is at work
      EXPECT_FALSE(finished);
      go.set_value();
    });
  }
  EXPECT_TRUE(finished);
  EXPECT_FALSE(dropped_ran);
  opener.join();
  EXPECT_NO_THROW(running.get());
  EXPECT_THROW(waiting.get(), std::future_error);
}

TEST(Queue, IdlesBetweenJobsOnItsThread) {
  std::atomic<int> idled = 0;
  std::thread::id idler;
  Queue queue(
      [&] {
        idler = std::this_thread::get_id();
        ++idled;
      },
      std::chrono::milliseconds(1));
  while (idled < 3) std::this_thread::yield();
  std::thread::id worker;
  queue
      .push([&] {
        worker = std::this_thread::get_id();
        EXPECT_EQ(idler, worker);
        const int before = idled;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        EXPECT_EQ(idled, before);
      })
      .get();
}

TEST(Queue, AnEmptyOneEnds) {
  for (int i = 0; i < 100; ++i) Queue queue;
}

}  // namespace
}  // namespace entrain
