// What every transport must do, for rows of one process, one to eight processes that talk over
// Gloo, and some that talk over MPI.

#include <map>

#include "entrain/comm/faulty.h"
#include "entrain/comm/lossless_mean.h"
#include "entrain/comm/test_ranks.h"

namespace entrain {
namespace {

using Clock = std::chrono::steady_clock;

// The mean over all workers in long double, and of their magnitudes, which bound what rounding
// does.
struct Exact {
  std::vector<long double> mean, magnitude;

  explicit Exact(const at::Tensor& rows)
      : mean(static_cast<std::size_t>(rows.size(1))), magnitude(mean.size()) {
    const at::Tensor wide = rows.to(at::kDouble);
    const double* value = wide.data_ptr<double>();
    const auto n = static_cast<long double>(rows.size(0));
    for (std::int64_t i = 0; i < rows.size(0); ++i)
      for (std::size_t j = 0; j < mean.size(); ++j, ++value) {
        mean[j] += *value / n;
        magnitude[j] += std::abs(*value) / n;
      }
  }

  // Reproducible sums are rounded in double on their way, and once to the type at the end; fast
  // ones are rounded to the type in each of the ring's steps.
  void expect_near(const at::Tensor& got, Sums sums, int processes, int local_workers) const {
    const long double unit = got.scalar_type() == at::kFloat ? 0x1p-24L : 0x1p-53L;
    const int additions = processes + local_workers;
    const at::Tensor wide = got.to(at::kDouble);
    const double* value = wide.data_ptr<double>();
    for (std::int64_t j = 0; j < got.size(1); ++j) {
      const long double bound = sums == Sums::fast ? (additions + 2) * unit * magnitude[j]
                                                   : additions * 0x1p-53L * magnitude[j] +
                                                         unit * std::abs(mean[j]) * 1.01L;
      ASSERT_LE(std::abs(value[j] - mean[j]), bound) << "column " << j << " of " << got.size(1);
    }
  }
};

constexpr Sums kSums[] = {Sums::fast, Sums::reproducible};

class Transport : public testing::TestWithParam<World> {};

const World kMpiPair(2, Via::mpi), kMpiThree(3, Via::mpi), kMpiFour(4, Via::mpi);

INSTANTIATE_TEST_SUITE_P(Processes, Transport,
                         testing::Values(0, 1, 2, 3, 4, 5, 6, 7, 8, World(1, Via::mpi), kMpiPair,
                                         kMpiThree, kMpiFour, World(7, Via::mpi)),
                         world_name);

TEST_P(Transport, MeansAreExactToRoundingAndAlikeOnAllRanks) {
  across(GetParam(), [](RankPlay& play) {
    for (int w : {1, 3}) {
      const auto fast = play.join(Sums::fast, w), exact = play.join(Sums::reproducible, w);
      const at::Tensor rows = own_rows(*fast, 100'003, at::kDouble);
      const at::Tensor everyones =
          play.rank() == 0 ? held_rows(0, fast->workers(), 100'003, at::kDouble) : at::Tensor();
      for (at::ScalarType type : {at::kFloat, at::kDouble}) {
        const at::Tensor whole = rows.to(type), before = whole.clone();
        std::optional<Exact> expected;
        if (play.rank() == 0) expected.emplace(everyones.to(type));
        for (Sums sums : kSums)
          for (std::int64_t columns : {0, 1, 5, 1000, 100'003}) {
            Communicator& comm = sums == Sums::fast ? *fast : *exact;
            const at::Tensor mean = average(comm, whole.narrow(1, 0, columns));
            if (expected) expected->expect_near(mean, sums, play.size(), comm.local_workers());
            const auto all = comm.gather(fingerprint(mean));
            EXPECT_EQ(all, std::vector<std::string>(comm.size(), all[0])) << columns << " columns";
          }
        EXPECT_TRUE(whole.equal(before)) << "the rows were written to";
      }
    }
  });
}

class LongRows : public Transport {};

INSTANTIATE_TEST_SUITE_P(Processes, LongRows,
                         testing::Values(0, 1, 2, 4, 8, kMpiPair, kMpiThree, kMpiFour), world_name);

TEST_P(LongRows, OfTenMillionItems) {
  across(GetParam(), [](RankPlay& play) {
    for (Sums sums : kSums) {
      const auto comm = play.join(sums);
      const at::Tensor rows = own_rows(*comm, 10'000'000, at::kFloat);
      const at::Tensor mean = average(*comm, rows);
      const auto all = comm->gather(fingerprint(mean));
      EXPECT_EQ(all, std::vector<std::string>(comm->size(), all[0]));
      if (play.rank() != 0) continue;
      for (std::int64_t begin : {0, 5'000'000, 9'990'000}) {
        at::Tensor part = at::empty({comm->workers(), 10'000}, at::kDouble);
        auto values = part.accessor<double, 2>();
        for (int worker = 0; worker < comm->workers(); ++worker)
          for (std::int64_t j = 0; j < 10'000; ++j) values[worker][j] = held(worker, begin + j);
        Exact(part.to(at::kFloat))
            .expect_near(mean.narrow(1, begin, 10'000), sums, play.size(), comm->local_workers());
      }
    }
  });
}

// Fast sums go along the ring from 512 KiB on where links are short, in parts of 4 MiB and more,
// and by direct exchange over several connections where they are long.
TEST_P(LongRows, JustBelowAndAboveWhatTheRingTakes) {
  across(GetParam(), [](RankPlay& play) {
    constexpr std::int64_t ring = 128 << 10, part = 1 << 20;
    for (Links links : {Links::short_, Links::long_}) {
      const auto comm = play.join(Sums::fast, 1, links);
      const at::Tensor rows = own_rows(*comm, 2 * part + 3, at::kFloat);
      const at::Tensor everyones =
          play.rank() == 0 ? held_rows(0, comm->workers(), 2 * part + 3, at::kFloat) : at::Tensor();
      for (std::int64_t columns : {ring - 1, ring, part, part + 1, 2 * part + 3}) {
        const at::Tensor mean = average(*comm, rows.narrow(1, 0, columns));
        EXPECT_TRUE(mean.equal(average(*comm, rows.narrow(1, 0, columns)))) << "deterministic";
        const auto all = comm->gather(fingerprint(mean));
        EXPECT_EQ(all, std::vector<std::string>(comm->size(), all[0])) << columns << " columns";
        if (play.rank() != 0) continue;
        Exact(everyones.narrow(1, 0, columns))
            .expect_near(mean, Sums::fast, play.size(), comm->local_workers());
      }
    }
  });
}

// A ring's sum of several parts and direct exchanges, all under way at once.
TEST_P(LongRows, RingAndDirectExchangesInFlight) {
  across(GetParam(), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 1, Links::short_);
    const auto blocking = play.join(Sums::fast, 1, Links::short_);
    std::vector<at::Tensor> rows, means;
    std::vector<std::unique_ptr<Exchange>> exchanges;
    for (std::int64_t columns : {1 << 20, 1001, 3 << 20, 7}) {
      rows.push_back(own_rows(*comm, columns, at::kFloat));
      means.push_back(at::full({1, columns}, std::nan("")));
      exchanges.push_back(comm->launch_mean(rows.back(), means.back()));
    }
    for (std::size_t i : {3, 0, 2, 1}) exchanges[i]->wait();
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_TRUE(means[i].equal(average(*blocking, rows[i]))) << "exchange " << i;
  });
}

TEST_P(Transport, SeveralExchangesInFlight) {
  across(GetParam(), [](RankPlay& play) {
    for (Sums sums : kSums) {
      const auto comm = play.join(sums);
      const auto blocking = play.join(sums);
      for (bool in_order : {true, false}) {
        const at::Tensor one = own_rows(*comm, 300'000, at::kFloat);
        const at::Tensor two = own_rows(*comm, 1'000, at::kDouble) + 1;
        at::Tensor mean_one = at::zeros({1, 300'000});
        at::Tensor mean_two = at::zeros({1, 1'000}, at::kDouble);
        const auto first = comm->launch_mean(one, mean_one);
        const auto second = comm->launch_mean(two, mean_two);
        EXPECT_EQ(comm->gather("between").size(), static_cast<std::size_t>(comm->size()));
        (in_order ? first : second)->wait();
        (in_order ? second : first)->wait();
        EXPECT_TRUE(mean_one.equal(average(*blocking, one)));
        EXPECT_TRUE(mean_two.equal(average(*blocking, two)));
      }
    }
  });
}

// A mixing that is neither symmetric nor regular: worker i takes from itself, from worker 0 and
// from the worker i^2.
Mixing odd_mixing(int n) {
  Mixing mixing;
  for (int i = 0; i < n; ++i) {
    std::map<int, double> terms;
    terms[i] += 0.5;
    terms[0] += 0.2;
    terms[i * i % n] += 0.3;
    auto& row = mixing.rows.emplace_back();
    for (const auto& [worker, weight] : terms) row.push_back({worker, weight});
  }
  return mixing;
}

TEST_P(Transport, MixesRowsExactlyWhateverTheLayout) {
  across(GetParam(), [](RankPlay& play) {
    for (int w : {1, 2}) {
      const auto comm = play.join(Sums::fast, w);
      const int n = comm->workers();
      const auto mixing = std::make_shared<const Mixing>(odd_mixing(n));
      for (at::ScalarType type : {at::kFloat, at::kDouble})
        for (std::int64_t columns : {0, 1, 5, 100'003}) {
          const at::Tensor rows = own_rows(*comm, columns, type), before = rows.clone();
          at::Tensor mixed = at::full_like(rows, std::nan(""));
          comm->launch_mix(rows, mixed, mixing)->wait();
          EXPECT_TRUE(rows.equal(before));
          const at::Tensor all = held_rows(0, n, columns, type).to(at::kDouble);
          for (int i = 0; i < comm->local_workers(); ++i) {
            at::Tensor expected = at::zeros({columns}, at::kDouble);
            for (const auto& term : mixing->rows[comm->first_worker() + i])
              expected = expected + term.weight * all[term.worker];
            EXPECT_TRUE(mixed[i].equal(expected.to(type))) << i << ", " << columns << " columns";
          }
        }
    }
  });
}

TEST_P(Transport, MixingWithOneselfSendsNothing) {
  across(GetParam(), [](RankPlay& play) {
    const auto comm = play.join(Sums::fast, 2);
    Mixing mixing;
    for (int i = 0; i < comm->workers(); ++i) mixing.rows.push_back({{i, 1.0}});
    const at::Tensor rows = own_rows(*comm, 100, at::kFloat);
    at::Tensor mixed = at::zeros_like(rows);
    comm->launch_mix(rows, mixed, std::make_shared<const Mixing>(mixing))->wait();
    EXPECT_TRUE(mixed.equal(rows));
    EXPECT_EQ(comm->wire_bytes_sent(), 0);
  });
}

// What a job sends to a peer arrives in its order, whatever the sizes, and so does what it sends to
// itself.
TEST_P(Transport, PiecesArriveInTheirOrder) {
  across(GetParam(), [](RankPlay& play) {
    for (Links links : {Links::short_, Links::long_}) {
      const auto comm = play.join(Sums::fast, 1, links);
      std::vector<Piece> in, out;
      const std::vector<std::int64_t> sizes = {1, 0, 100'003, 3, 200'000};
      for (int peer = 0; peer < comm->size(); ++peer)
        for (std::size_t k = 0; k < sizes.size(); ++k) {
          const int base = 1000 * static_cast<int>(k);
          out.push_back({peer, at::full({sizes[k]}, base + 10 * comm->rank() + peer, at::kFloat)});
          in.push_back({peer, at::zeros({sizes[k]})});
        }
      Job job;
      job.form = "pieces";
      job.run = [&](Channel& channel) { channel.exchange(in, out); };
      comm->launch(job)->wait();
      for (std::size_t i = 0; i < in.size(); ++i) {
        const int base = 1000 * static_cast<int>(i % sizes.size());
        EXPECT_TRUE(in[i].values.eq(base + 10 * in[i].peer + comm->rank()).all().item<bool>()) << i;
      }
    }
  });
}

// Each worker takes the row of the one that is `shift` before it.
std::shared_ptr<const Mixing> from_before(int shift, int n) {
  auto mixing = std::make_shared<Mixing>();
  for (int i = 0; i < n; ++i) mixing->rows.push_back({{(i + n - shift % n) % n, 1.0}});
  return mixing;
}

// Whatever a process asked its peers for ahead of an exchange: neighbours and sizes that change,
// means between them, and an end right behind a message that is not answered.
TEST_P(Transport, ExchangesThatTakeTurnsGetTheirOwnMessages) {
  across(GetParam(), [](RankPlay& play) {
    for (Links links : {Links::short_, Links::long_, Links::long_}) {
      const auto comm = play.join(Sums::fast, 1, links);
      const int n = comm->workers(), first = comm->first_worker(), w = comm->local_workers();
      const at::Tensor own = at::arange(first, first + w, at::kDouble).view({w, 1});
      for (int turn = 0; turn < 12; ++turn) {
        const std::int64_t columns = turn % 3 == 0 ? 40'001 : 7;
        const at::Tensor rows = (own + 100 * turn).expand({w, columns}).contiguous();
        at::Tensor mixed = at::zeros_like(rows);
        const int shift = 1 + turn % 2;
        comm->launch_mix(rows, mixed, from_before(shift, n))->wait();
        const at::Tensor expected = (own - shift).remainder(n) + 100 * turn;
        EXPECT_TRUE(mixed.eq(expected).all().item<bool>()) << turn;
        if (turn % 4 == 3) continue;
        const double mean = 100 * turn + (n - 1) / 2.0;
        EXPECT_TRUE(average(*comm, rows).sub(mean).abs().lt(1e-9).all().item<bool>()) << turn;
      }
    }
  });
}

class LosslessMeans : public Transport {};

INSTANTIATE_TEST_SUITE_P(Processes, LosslessMeans, testing::Values(0, 2, 3, 8, kMpiThree),
                         world_name);

// Rows as after a few local steps from a model that all have.
at::Tensor near_rows(const Communicator& comm, at::ScalarType type, double how_near) {
  const at::Tensor common = held_rows(0, 1, 200'003, at::kDouble);
  return (common + how_near * own_rows(comm, 200'003, at::kDouble)).to(type);
}

// Rows that move little, as parameters do, then by far more, and little again.
TEST_P(LosslessMeans, HaveTheBitsOfDirectExchange) {
  across(GetParam(), [](RankPlay& play) {
    for (const auto& [w, links] :
         {std::pair(1, Links::short_), {1, Links::long_}, {2, Links::long_}}) {
      for (Sums sums : kSums) {
        const auto comm = play.join(sums, w, links), direct = play.join(sums, w, Links::long_);
        for (at::ScalarType type : {at::kFloat, at::kDouble}) {
          const at::Tensor near = near_rows(*comm, type, 1e-3);
          for (std::int64_t columns : {200'003, 20'000, 5, 0}) {
            const auto lossless = std::make_shared<LosslessMean>(sums, links == Links::long_);
            for (const double factor : {1.0, 1.001, 1.0011, -0.0, 1.0}) {
              const at::Tensor rows = near.narrow(1, 0, columns) * factor, before = rows.clone();
              at::Tensor mean = at::full({1, columns}, std::nan(""), rows.options());
              lossless->launch(*comm, rows, mean)->wait();
              const std::string expected = bytes_of(average(*direct, rows));
              EXPECT_EQ(bytes_of(mean), expected) << factor << ", " << columns << " columns";
              EXPECT_TRUE(rows.equal(before));
              if (!comm->averages_in_place()) continue;
              lossless->launch(*comm, rows, rows)->wait();
              EXPECT_EQ(bytes_of(rows), expected) << factor << ", in place";
            }
          }
        }
      }
    }
  });
}

// What is not like the last mean goes as it is, and is tried again. All ranks agree on when, also
// where the rows of one only have moved far.
TEST_P(LosslessMeans, SendLessOrTheSame) {
  across(GetParam(), [](RankPlay& play) {
    for (int w : {1, 2}) {
      const auto comm = play.join(Sums::fast, w), direct = play.join(Sums::fast, w, Links::long_);
      if (comm->size() == 1) return;
      const auto lossless = comm->lossless_mean();
      const at::Tensor near = near_rows(*comm, at::kFloat, 1e-4);
      at::Tensor mean = at::empty({1, near.size(1)});
      const auto sent = [&](double factor, double first = 0) {
        const std::int64_t before = comm->wire_bytes_sent();
        const at::Tensor rows = near * (play.rank() == 0 && first != 0 ? first : factor);
        lossless->launch(*comm, rows, mean)->wait();
        EXPECT_EQ(bytes_of(mean), bytes_of(average(*direct, rows))) << factor << ", " << first;
        return static_cast<double>(comm->wire_bytes_sent() - before);
      };
      const double whole = sent(1);
      EXPECT_LT(sent(1.001), 0.85 * whole) << "before the length of codes is known";
      EXPECT_LT(sent(1.0011), 0.75 * whole);
      EXPECT_LT(sent(1.00111), 0.7 * whole) << "what moved by a hundred thousandth";
      EXPECT_LT(sent(-70), 1.04 * whole) << "what has nothing of the last";
      for (int i = 0; i < 31; ++i) EXPECT_EQ(sent(-70), whole) << i;
      EXPECT_LT(sent(-70.01), 0.85 * whole) << "tried again";
      for (int i = 0; i < 35; ++i) EXPECT_LT(sent(-70.01, 3 + i), 1.04 * whole) << i;
    }
  });
}

// Late by chance on every rank, an exchange has the same bits.
TEST_P(Transport, ADelayChangesNoBit) {
  across(GetParam(), [](RankPlay& play) {
    for (Sums sums : kSums) {
      const auto calm = play.join(sums), inner = play.join(sums);
      Faulty late(*inner, [&](std::int64_t number) {
        return Fault{.delay = std::chrono::milliseconds((number * 7 + 13 * play.rank()) % 20)};
      });
      for (std::int64_t columns : {1, 1001, 50'000}) {
        const at::Tensor rows = own_rows(*calm, columns, at::kFloat);
        EXPECT_TRUE(average(late, rows).equal(average(*calm, rows)));
      }
    }
  });
}

TEST_P(Transport, AFailedExchangeLeavesTheRows) {
  across(GetParam(), [](RankPlay& play) {
    for (Sums sums : kSums) {
      const auto inner = play.join(sums);
      Faulty faulty(*inner, [](std::int64_t number) { return Fault{.fails = number == 2}; });
      const at::Tensor rows = own_rows(*inner, 1001, at::kFloat), before = rows.clone();
      average(faulty, rows);
      EXPECT_THROW(average(faulty, rows), CommunicationError);
      EXPECT_TRUE(rows.equal(before));
      EXPECT_TRUE(average(faulty, rows).equal(average(*inner, rows))) << "and the next one lands";
    }
  });
}

}  // namespace
}  // namespace entrain
