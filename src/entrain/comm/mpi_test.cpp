#include "entrain/comm/mpi.h"

#include "entrain/comm/test_ranks.h"
#include "entrain/core/cpu_time.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

const World kThreeThatAbort(3, Via::mpi, true);

TEST(Mpi, ARankThatWaitsLeavesItsCoreToOthers) {
  across(World(2, Via::mpi), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
    average(*comm, rows);
    if (play.rank() == 1) {
      std::this_thread::sleep_for(std::chrono::seconds(2));
      average(*comm, rows);
      return;
    }
    const double before = process_cpu_seconds();
    average(*comm, rows);
    const double used = process_cpu_seconds() - before;
    fmt::print("{:.3f} s of the processor in 2 s of waiting\n", used);
    EXPECT_LT(used, 0.2);
  });
}

TEST(Mpi, ARankThatComputesForLongIsWaitedFor) {
  across(World(3, Via::mpi), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::measured, std::chrono::seconds(2));
    const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
    const at::Tensor mean = average(*comm, rows);
    if (play.rank() == 1) std::this_thread::sleep_for(std::chrono::seconds(6));
    EXPECT_TRUE(average(*comm, rows).equal(mean));
  });
}

// Ranks 1 and 2 exchange one number.
void exchange_beside(Communicator& comm) {
  const int other = 3 - comm.rank();
  const at::Tensor out = at::full({1}, comm.rank(), at::kFloat), in = at::zeros({1});
  comm.launch({.form = "a pair",
               .run =
                   [&](Channel& channel) {
                     if (other < 3) channel.exchange({{other, in}}, {{other, out}});
                   }})
      ->wait();
  EXPECT_EQ(in.item<float>(), other < 3 ? other : 0);
}

TEST(Mpi, RanksThatAreBusyWithEachOtherAreWaitedFor) {
  across(World(3, Via::mpi), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::measured, std::chrono::seconds(2));
    for (int i = 0; i < 500; ++i) {
      exchange_beside(*comm);
      if (play.rank() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
    EXPECT_TRUE(average(*comm, rows).isfinite().all().item<bool>());
  });
}

// The others have its messages, and still wait for each other.
TEST(Mpi, ARankThatHasEndedWellIsNotLost) {
  across(World(3, Via::mpi), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    if (play.rank() == 2) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    exchange_beside(*comm);
  });
}

TEST(Mpi, ARankThatIsAwaitedAfterItsLastExchangeIsNamed) {
  across(kThreeThatAbort, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    if (play.rank() == 0) return;
    const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
    const std::string text = refusal_of([&] { average(*comm, rows); });
    const bool first = text.find("no word from rank 0: it has made its last exchange") != text.npos;
    EXPECT_TRUE(first || text.find("another rank gave up") != text.npos) << text;
  });
}

// Each takes the messages of the other for none of its own, and hears in a note what they are.
TEST(Mpi, ExchangesThatDifferAreRefusedWithBothRanks) {
  across(kThreeThatAbort, [](RankPlay& play) {
    const auto comm = play.join(Sums::reproducible);
    const at::Tensor rows = own_rows(*comm, 1000, at::kDouble), before = rows.clone();
    average(*comm, rows);
    const std::int64_t columns = play.rank() == 1 ? 10 : 1000;
    const auto began = Clock::now();
    const std::string text =
        refusal_of<CommunicationError>([&] { average(*comm, rows.narrow(1, 0, columns)); });
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
    const bool differ = text.find("rank 1") != text.npos &&
                        text.find("differ in exchange 2: a reproducible sum of ") != text.npos;
    const bool gave_up = text.find("another rank gave up") != text.npos;
    EXPECT_TRUE(differ || (gave_up && play.rank() != 1)) << text;
    EXPECT_TRUE(rows.equal(before));
  });
}

TEST(Mpi, TheOthersHearOfARankThatGivesUp) {
  across(kThreeThatAbort, [](RankPlay& play) {
    const auto comm = play.join(Sums::fast);
    const at::Tensor rows = own_rows(*comm, kLongest, at::kFloat);
    average(*comm, rows);
    if (play.rank() == 2) return comm->abandon();
    const auto began = Clock::now();
    const std::string text = refusal_of<CommunicationError>([&] { average(*comm, rows); });
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(2));
    EXPECT_NE(text.find(fmt::format("rank {} in exchange 2: no word from ", play.rank())),
              text.npos)
        << text;
    EXPECT_NE(text.find("2: another rank gave up; see the output of "), text.npos) << text;
    EXPECT_EQ(refusal_of<CommunicationError>([&] { comm->gather("more"); }),
              "an exchange before this one failed");
  });
}

TEST(Mpi, ACommunicatorEndsThoughAPeerNeverCame) {
  across(kThreeThatAbort, [](RankPlay& play) {
    auto comm = play.join(Sums::fast);
    const at::Tensor rows = own_rows(*comm, 1000, at::kFloat);
    at::Tensor mean = at::zeros({1, 1000});
    if (play.rank() == 0) return play.await("ended-2");
    const auto began = Clock::now();
    comm->launch_mean(rows, mean);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    comm.reset();
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
    play.signal(fmt::format("ended-{}", play.rank()));
  });
}

TEST(Mpi, WithoutItsLauncherIsRefusedBeforeItStarts) {
  if (!has_mpi()) GTEST_SKIP() << "built without MPI";
  const std::string text = refusal_of([] { place_for(Via::mpi, {{"RANK", "0"}}); });
  EXPECT_EQ(text.find("comm.transport = mpi: this process was not started by mpirun"), 0u) << text;
  const std::string srun = refusal_of([] {
    place_for(Via::mpi, {{"SLURM_STEP_ID", "0"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}});
  });
  EXPECT_NE(srun.find("srun --mpi=pmix"), srun.npos) << srun;
}

}  // namespace
}  // namespace entrain
