#include "entrain/comm/local.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

at::Tensor local_rows(std::int64_t count, std::int64_t columns, at::ScalarType type) {
  Stream draws(2, Purpose::codec, static_cast<std::uint64_t>(columns));
  at::Tensor rows = at::empty({count, columns}, at::kDouble);
  double* values = rows.data_ptr<double>();
  for (std::int64_t i = 0; i < rows.numel(); ++i)
    values[i] = std::ldexp(draws.uniform() - 0.5, static_cast<int>(draws.below(40)));
  return rows.to(type);
}

at::Tensor mean_through(Communicator& comm, const at::Tensor& rows) {
  at::Tensor mean = at::full({1, rows.size(1)}, std::nan(""), rows.options());
  const auto exchange = comm.launch_mean(rows, mean);
  EXPECT_TRUE(exchange->done());
  exchange->wait();
  return mean;
}

bool alike(const at::Tensor& a, const at::Tensor& b) {
  return a.sizes() == b.sizes() && std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0;
}

TEST(Local, IsOneProcessWithAllWorkers) {
  const auto comm = local_communicator(5);
  EXPECT_EQ(comm->rank(), 0);
  EXPECT_EQ(comm->size(), 1);
  EXPECT_EQ(comm->local_workers(), 5);
  EXPECT_EQ(comm->workers(), 5);
  EXPECT_EQ(comm->first_worker(), 0);
  EXPECT_EQ(comm->epoch(), 0);
  const std::string bytes("a \0 b", 5);
  EXPECT_EQ(comm->gather(bytes), std::vector<std::string>{bytes});
  mean_through(*comm, at::ones({5, 10}));
  EXPECT_EQ(comm->wire_bytes_sent(), 0);
}

TEST(Local, MeanOverRows) {
  const auto comm = local_communicator(4);
  const at::Tensor rows =
      at::arange(0, 4, at::kFloat).view({4, 1}) + at::arange(0, 900).view({1, 900});
  EXPECT_TRUE(at::equal(mean_through(*comm, rows), at::arange(0, 900).view({1, 900}) + 1.5));
}

TEST(Local, OneWorkersMeanIsItsRow) {
  const auto comm = local_communicator(1);
  for (at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor rows = local_rows(1, 1000, type);
    EXPECT_TRUE(alike(mean_through(*comm, rows), rows));
  }
}

TEST(Local, ATeamChangesNoBit) {
  const auto alone = local_communicator(7);
  for (int threads : {1, 2, 3, 8}) {
    Team team(threads);
    const auto comm = local_communicator(7, &team);
    for (at::ScalarType type : {at::kFloat, at::kDouble})
      for (std::int64_t columns : {0, 1, 63, 64, 65, 127, 129, 512, 1000, 100'003}) {
        const at::Tensor rows = local_rows(7, columns, type);
        EXPECT_TRUE(alike(mean_through(*comm, rows), mean_through(*alone, rows)))
            << threads << " threads, " << columns << " columns";
      }
  }
}

TEST(Local, RowsAreOnlyRead) {
  Team team(2);
  const auto comm = local_communicator(3, &team);
  const at::Tensor rows = local_rows(3, 5000, at::kFloat), before = rows.clone();
  at::Tensor mean = at::empty({1, 5000});
  const auto exchange = comm->launch_mean(rows, mean);
  EXPECT_TRUE(alike(rows, before));
  exchange->wait();
  EXPECT_TRUE(alike(rows, before));
}

TEST(Local, SeveralExchangesUnderWay) {
  const auto comm = local_communicator(2);
  const at::Tensor one = at::full({2, 10}, 1.0), two = at::full({2, 20}, 2.0, at::kDouble);
  at::Tensor mean_one = at::zeros({1, 10}), mean_two = at::zeros({1, 20}, at::kDouble);
  const auto first = comm->launch_mean(one, mean_one);
  const auto second = comm->launch_mean(two, mean_two);
  second->wait();
  first->wait();
  EXPECT_TRUE(at::equal(mean_one, at::full({1, 10}, 1.0)));
  EXPECT_TRUE(at::equal(mean_two, at::full({1, 20}, 2.0, at::kDouble)));
}

TEST(Local, NoWorkersAreRefused) {
  for (int workers : {0, -3}) {
    try {
      local_communicator(workers);
      ADD_FAILURE() << "accepted " << workers;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.what(), fmt::format("workers = {}: must be at least 1", workers));
    }
  }
}

TEST(Local, WrongShapesAreDefectsOfTheCaller) {
  const auto comm = local_communicator(3);
  const at::Tensor rows = at::zeros({3, 8}), mean = at::zeros({1, 8});
  EXPECT_NO_THROW(comm->launch_mean(rows, mean));
  const auto refused = [&](const at::Tensor& some_rows, const at::Tensor& some_mean) {
    EXPECT_THROW(comm->launch_mean(some_rows, some_mean), std::logic_error)
        << some_rows.sizes() << " and " << some_mean.sizes();
  };
  refused(at::zeros({2, 8}), mean);
  refused(at::zeros({4, 8}), mean);
  refused(at::zeros({24}), mean);
  refused(at::zeros({3, 8, 1}), mean);
  refused(at::zeros({8, 3}).t(), mean);
  refused(at::zeros({3, 16}).slice(1, 0, 16, 2), mean);
  refused(rows, at::zeros({1, 7}));
  refused(rows, at::zeros({2, 8}));
  refused(rows, at::zeros({8}));
  refused(rows, at::zeros({1, 16}).slice(1, 0, 16, 2));
  refused(rows, at::zeros({1, 8}, at::kDouble));
  refused(at::zeros({3, 8}, at::kDouble), mean);
}

}  // namespace
}  // namespace entrain
