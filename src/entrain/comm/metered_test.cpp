#include "entrain/comm/metered.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "entrain/comm/local.h"

namespace entrain {
namespace {

void average_through(Communicator& comm, std::int64_t columns, at::ScalarType type = at::kFloat) {
  at::Tensor mean = at::empty({1, columns}, type);
  comm.launch_mean(at::ones({comm.local_workers(), columns}, type), mean)->wait();
  EXPECT_TRUE(at::equal(mean, at::ones({1, columns}, type)));
}

// Rank 2 of 4 processes with 2 workers each, without a transport.
class Pretended : public Communicator {
 public:
  int rank() const override { return 2; }
  int size() const override { return 4; }
  int local_workers() const override { return 2; }
  std::int64_t epoch() const override { return 5; }
  std::unique_ptr<Exchange> launch_mean(const at::Tensor&, const at::Tensor&) override {
    if (broken) throw std::runtime_error("no transport");
    return nullptr;
  }
  std::unique_ptr<Exchange> launch_mix(const at::Tensor&, const at::Tensor&,
                                       std::shared_ptr<const Mixing>) override {
    if (broken) throw std::runtime_error("no transport");
    return nullptr;
  }
  std::unique_ptr<Exchange> launch(Job) override { throw std::logic_error("no job is needed"); }
  std::vector<std::string> gather(const std::string& bytes) override { return {"a", bytes}; }
  std::int64_t wire_bytes_sent() const override { return 77; }

  bool broken = false;
};

TEST(Metered, BytesOfEveryone) {
  EXPECT_EQ(everyone_bytes(1, 1000), 0);
  EXPECT_EQ(everyone_bytes(2, 1000), 1000);
  EXPECT_EQ(everyone_bytes(4, 1000), 1500);
  EXPECT_EQ(everyone_bytes(1000, 1e12), 1.998e12);
}

TEST(Metered, CountsBytesAndExchanges) {
  const auto inner = local_communicator(4);
  Metered comm(*inner);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 0);
  EXPECT_EQ(comm.exchanges(), 0);
  average_through(comm, 1000);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 1.5 * 4000);
  EXPECT_EQ(comm.exchanges(), 1);
  average_through(comm, 10, at::kDouble);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 1.5 * 4000 + 1.5 * 80);
  EXPECT_EQ(comm.exchanges(), 2);
  comm.gather("not a message of training");
  EXPECT_EQ(comm.bytes_sent_per_worker(), 1.5 * 4000 + 1.5 * 80);
  EXPECT_EQ(comm.exchanges(), 2);
}

TEST(Metered, AloneNothingIsSent) {
  const auto inner = local_communicator(1);
  Metered comm(*inner);
  average_through(comm, 1000);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 0);
  EXPECT_EQ(comm.exchanges(), 1);
}

TEST(Metered, TwoMetersBillApart) {
  const auto inner = local_communicator(2);
  Metered training(*inner), evaluation(*inner);
  average_through(training, 100);
  average_through(evaluation, 7);
  EXPECT_EQ(training.bytes_sent_per_worker(), 400);
  EXPECT_EQ(evaluation.bytes_sent_per_worker(), 28);
}

TEST(Metered, CountsWorkersNotProcesses) {
  Pretended inner;
  Metered comm(inner);
  comm.launch_mean(at::ones({2, 100}), at::zeros({1, 100}));
  EXPECT_EQ(comm.bytes_sent_per_worker(), 2.0 * 7 / 8 * 400);
}

TEST(Metered, AMixingSaysWhatAWorkerSends) {
  Pretended inner;
  Metered comm(inner);
  const auto mixing = std::make_shared<const Mixing>(Mixing{{}, 1.75});
  comm.launch_mix(at::ones({2, 100}), at::zeros({2, 100}), mixing);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 1.75 * 400);
  EXPECT_EQ(comm.exchanges(), 1);
}

TEST(Metered, WhatWasNotLaunchedIsNotCounted) {
  Pretended inner;
  inner.broken = true;
  Metered comm(inner);
  EXPECT_THROW(comm.launch_mean(at::ones({2, 100}), at::zeros({1, 100})), std::runtime_error);
  EXPECT_THROW(comm.launch_mix(at::ones({2, 100}), at::zeros({2, 100}),
                               std::make_shared<const Mixing>(Mixing{{}, 1})),
               std::runtime_error);
  EXPECT_EQ(comm.bytes_sent_per_worker(), 0);
  EXPECT_EQ(comm.exchanges(), 0);
}

TEST(Metered, ElseIsTheInnerOne) {
  Pretended inner;
  Metered comm(inner);
  EXPECT_EQ(comm.rank(), 2);
  EXPECT_EQ(comm.size(), 4);
  EXPECT_EQ(comm.local_workers(), 2);
  EXPECT_EQ(comm.workers(), 8);
  EXPECT_EQ(comm.first_worker(), 4);
  EXPECT_EQ(comm.epoch(), 5);
  EXPECT_EQ(comm.gather("b"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(comm.wire_bytes_sent(), 77);
}

}  // namespace
}  // namespace entrain
