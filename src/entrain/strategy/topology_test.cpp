#include "entrain/strategy/topology.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <numbers>

#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"
#include "entrain/strategy/spectrum.h"

namespace entrain {
namespace {

at::Tensor only_matrix(const Topology& topology, int n) {
  const Mixings mixings = topology.mixings(n);
  EXPECT_EQ(mixings.size(), 1u);
  return matrix_of(*mixings.at(0));
}

double beta_for(const Topology& topology, int n) { return beta_of(only_matrix(topology, n)); }

TEST(Topology, RowsAndColumnsSumToOne_Gossip_5_7_1) {
  for (const Topology& topology :
       {ring(), directed_ring(), grid(), star(), static_exponential(), one_peer_exponential(),
        fully_connected(), geometric(2, 1), groups(1)}) {
    for (int n : {1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 31}) {
      for (const auto& mixing : topology.mixings(n)) {
        const at::Tensor weights = matrix_of(*mixing);
        EXPECT_GE(weights.min().item<double>(), 0);
        EXPECT_LE((weights.sum(0) - 1).abs().max().item<double>(), 1e-14)
            << print(topology.text) << " of " << n;
        EXPECT_LE((weights.sum(1) - 1).abs().max().item<double>(), 1e-14)
            << print(topology.text) << " of " << n;
      }
    }
  }
}

// Gossip-PGA, section 5.3.
TEST(Topology, Betas_Gossip_5_7_1) {
  constexpr double tolerance = 1e-6;
  for (const auto& [n, beta] : {std::pair{8, 0.804738},
                                {16, 0.949253},
                                {20, 0.967371},
                                {32, 0.987190},
                                {50, 0.994743},
                                {64, 0.996790},
                                {100, 0.998684},
                                {128, 0.999197}}) {
    EXPECT_NEAR(beta_for(ring(), n), beta, tolerance) << n;
    EXPECT_NEAR(beta_for(ring(), n), (1 + 2 * std::cos(2 * std::numbers::pi / n)) / 3, 1e-12);
  }
  for (const auto& [n, beta] : {std::pair{4, 1.0 / 3},
                                {8, 0.5},
                                {16, 0.6},
                                {32, 2.0 / 3},
                                {64, 5.0 / 7},
                                {128, 0.75},
                                {256, 7.0 / 9}}) {
    EXPECT_NEAR(beta_for(static_exponential(), n), beta, tolerance) << n;
  }
  for (const auto& [n, beta] : {std::pair{16, 0.868641},
                                {25, 0.916213},
                                {36, 0.942087},
                                {50, 0.978482},
                                {64, 0.967705},
                                {100, 0.979470}}) {
    EXPECT_NEAR(beta_for(grid(), n), beta, tolerance) << n;
  }
  for (int n : {3, 5, 8, 16}) {
    EXPECT_NEAR(beta_for(directed_ring(), n), std::cos(std::numbers::pi / n), 1e-12);
    EXPECT_NEAR(beta_for(star(), n), 1 - 1.0 / n, 1e-12);
    EXPECT_NEAR(beta_for(fully_connected(), n), 0, 1e-12);
  }
}

TEST(Topology, OnePeerProductsAreTheMeanExactlyForPowersOfTwo_Gossip_5_7_1) {
  for (int n = 2; n <= 33; ++n) {
    const Mixings turns = one_peer_exponential().mixings(n);
    EXPECT_EQ(turns.size(), static_cast<std::size_t>(std::ceil(std::log2(n)))) << n;
    at::Tensor product = at::eye(n, at::kDouble);
    for (const auto& turn : turns) product = at::mm(matrix_of(*turn), product);
    const double distance = (product - 1.0 / n).abs().max().item<double>();
    const bool power_of_two = (n & (n - 1)) == 0;
    if (power_of_two) {
      EXPECT_EQ(distance, 0) << n;
    } else {
      EXPECT_GT(distance, 1e-3) << n;
    }
  }
}

// Worker i takes from i - 2^k, so worker i sends to i + 2^k.
TEST(Topology, OnePeerHops_Gossip_5_7_1) {
  const Mixings turns = one_peer_exponential().mixings(6);
  ASSERT_EQ(turns.size(), 3u);
  for (int k = 0; k < 3; ++k) {
    for (int i = 0; i < 6; ++i) {
      const int from = ((i - (1 << k)) % 6 + 6) % 6;
      std::vector<Mixing::Term> expected = {{i, 0.5}, {from, 0.5}};
      if (from < i) std::swap(expected[0], expected[1]);
      EXPECT_EQ(turns[k]->rows[i], expected) << "turn " << k << ", worker " << i;
    }
  }
}

TEST(Topology, CountsTheMessagesOfAWorker) {
  const auto messages = [](const Topology& topology, int n) {
    return messages_of(topology, topology.mixings ? topology.mixings(n) : Mixings(), n, 0);
  };
  EXPECT_EQ(messages(everyone(), 8), 2.0 * 7 / 8);
  EXPECT_EQ(messages(groups(4), 8), 2.0 * 3 / 4);
  EXPECT_EQ(messages(ring(), 8), 2);
  EXPECT_EQ(messages(ring(), 2), 1);
  EXPECT_EQ(messages(ring(), 1), 0);
  EXPECT_EQ(messages(directed_ring(), 8), 1);
  EXPECT_EQ(messages(static_exponential(), 8), 3);
  EXPECT_EQ(messages(one_peer_exponential(), 8), 1);
  EXPECT_EQ(messages(fully_connected(), 8), 7);
  EXPECT_EQ(messages(star(), 8), 2.0 * 7 / 8) << "the mean over the workers";
}

TEST(Topology, GroupsAreConsecutive) {
  const at::Tensor weights = only_matrix(groups(2), 4);
  EXPECT_EQ(weights[0][1].item<double>(), 0.5);
  EXPECT_EQ(weights[1][2].item<double>(), 0);
  EXPECT_EQ(refusal_of([] { groups(3).mixings(8); }),
            "groups(3): 8 workers cannot be divided into such groups");
  EXPECT_EQ(refusal_of([] { groups(0); }), "groups(0): a group has at least 1 worker");
}

TEST(Topology, AGeometricFieldIsConnectedOrRefused) {
  const at::Tensor weights = only_matrix(geometric(0.5, 3), 20);
  EXPECT_TRUE(weights.equal(weights.t()));
  EXPECT_LT(beta_of(weights), 1);
  EXPECT_TRUE(weights.equal(only_matrix(geometric(0.5, 3), 20))) << "a function of the seed";
  EXPECT_FALSE(weights.equal(only_matrix(geometric(0.5, 4), 20)));
  const auto places = geometric_places(20, 3);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 20; ++j) {
      const double distance = std::hypot(places[i][0] - places[j][0], places[i][1] - places[j][1]);
      EXPECT_EQ(weights[i][j].item<double>() > 0, i == j || distance <= 0.5);
    }
  }
  EXPECT_NE(refusal_of([] {
              geometric(0.01, 1).mixings(20);
            }).find("geometric(radius=0.01, seed=1): with 20 workers, worker 0 reaches only 1"),
            std::string::npos);
  EXPECT_NE(refusal_of([] { geometric(0, 1); }).find("radius must be above 0"), std::string::npos);
}

class MatrixFile : public testing::Test {
 protected:
  std::string written(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }
  std::string refusal(const std::string& text) {
    return refusal_of([&] { matrix_from(written(text)); });
  }
  TestFolder folder_;
  const std::string path_ = folder_ / "weights of mine.txt";
};

TEST_F(MatrixFile, IsTheWeights) {
  const Topology topology = matrix_from(written("0.5 0.25 0.25\n\n0.25\t0.5 0.25\n0.25 0.25 0.5"));
  const at::Tensor weights = only_matrix(topology, 3);
  EXPECT_EQ(weights[0][0].item<double>(), 0.5);
  EXPECT_EQ(weights[2][1].item<double>(), 0.25);
  EXPECT_EQ(print(topology.text), "matrix(\"" + path_ + "\")");
  EXPECT_EQ(print(build_topology(parse_value(print(topology.text)), {}).text),
            print(topology.text));
  EXPECT_EQ(refusal_of([&] { topology.mixings(4); }),
            path_ + ": 3 rows, where there are 4 workers");
}

TEST_F(MatrixFile, IsCheckedAndTheBadRowNamed) {
  EXPECT_EQ(refusal("1 0\n0.5 0.6\n"), path_ + ": row 1 sums to 1.1, not 1");
  EXPECT_EQ(refusal("1 0\n0.5\n"), path_ + ": row 1 has 1 numbers, where there are 2 rows");
  EXPECT_EQ(refusal("1 0\n1 0\n"),
            path_ + ": column 0 sums to 2, not 1: the workers' mean would drift");
  EXPECT_EQ(refusal("1 0\n-1 2\n"), path_ + ": row 1: '-1' is not a weight from 0 to 1");
  EXPECT_EQ(refusal("1 0\n0 1x\n"), path_ + ": row 1: '1x' is not a weight from 0 to 1");
  EXPECT_EQ(refusal("1 nan\n0 1\n"), path_ + ": row 0: 'nan' is not a weight from 0 to 1");
  EXPECT_EQ(refusal(""), path_ + ": no numbers");
  EXPECT_EQ(refusal_of([] { matrix_from("/nowhere/w.txt"); }),
            "matrix(\"/nowhere/w.txt\"): cannot be read (/nowhere/w.txt)");
}

TEST(Spectrum, COfBetaAndDOfBeta) {
  EXPECT_NEAR(c_beta(0.5, 3), 1.75, 1e-15);
  EXPECT_EQ(c_beta(1, 16), 16);
  EXPECT_EQ(c_beta(0, 16), 1);
  EXPECT_EQ(d_beta(1, 16), 16);
  EXPECT_EQ(d_beta(0.5, 16), 2);
  EXPECT_EQ(d_beta(0.99, 16), 16);
}

}  // namespace
}  // namespace entrain
