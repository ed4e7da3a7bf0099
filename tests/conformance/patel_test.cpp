// Local SGD with large steps (Patel & Dieuleveut 2019): what can be shown exactly of it.

#include "conformance/papers.h"

namespace entrain {
namespace {

// H (average of the mean iterates 0 ... n-1) = (w_0 - w_n) / (lr n) - mean noise, on any schedule.
TEST(Patel, PolyakRuppertIdentity_2_7_1) {
  const double lr = 0.4;
  const int n = 4, steps = 200, size = 20;
  at::Tensor first;
  for (const char* text :
       {"local_sgd(1)", "local_sgd(10)", "one_shot(200)", "growing_local_sgd(3, 0.7)"}) {
    Quadratic quadratic(kSpectrum, 1);
    Engine engine({n, size}, {lr, 0, 0, false}, text);
    quadratic.attach(engine);
    const at::Tensor start = engine.mean_row().clone();
    engine.sync().keep_running_mean();
    engine.run(steps);
    const at::Tensor end = engine.mean_row();
    const at::Tensor from_one = engine.sync().running_mean().mean(0).narrow(0, 0, size);
    const at::Tensor from_zero = from_one + (start - end) / steps;
    for (int j = 0; j < size; ++j) {
      double noise = 0;
      for (int t = 1; t <= steps; ++t) {
        for (int i = 0; i < n; ++i) noise += quadratic.noise(i, t, j) / (n * steps);
      }
      EXPECT_NEAR(quadratic.lambda(j) * from_zero[j].item<double>(),
                  (start[j] - end[j]).item<double>() / (lr * steps) - noise, 1e-10)
          << text;
    }
    if (!first.defined()) first = from_one.clone();
    EXPECT_LE(distance(from_one, first), 1e-10) << text << ": the schedule has no effect";
  }
}

// Second moments of one coordinate by their recursion: of the average at the start of a phase, and
// of a worker's iterate k steps later.
struct Moments {
  double lr, lambda, sigma;
  int workers;

  double contraction() const { return std::pow(1 - lr * lambda, 2); }
  double noise(int k) const {
    double sum = 0;
    for (int i = 0; i < k; ++i) sum += std::pow(contraction(), i);
    return lr * lr * sigma * sigma * sum;
  }
  double next_average(double average, int h) const {
    return std::pow(contraction(), h) * average + noise(h) / workers;
  }
  double local(double average, int k) const {
    return std::pow(contraction(), k) * average + noise(k);
  }
};

// The bounds of Proposition 3 with mu the smallest eigenvalue.
struct Bounds {
  double lr, mu, total_variance;
  int workers;
  double power(int k) const { return std::pow(1 - lr * mu, k); }
  double average(double start, int steps) const {
    return power(steps) * start + total_variance * lr * (1 - power(steps)) / (workers * mu);
  }
  double local(double start, int steps_before, int k) const {
    return power(steps_before + k) * start +
           total_variance * lr * ((1 - power(steps_before)) / (workers * mu) + (1 - power(k)) / mu);
  }
};

TEST(Patel, SecondMomentsStayBelowBothLines_2_7_2) {
  const double sigma = 0.7, start = 1;
  for (const auto& spectrum : {kSpectrum, std::vector<double>{0.25, 0.25, 0.25}}) {
    const double mu = *std::min_element(spectrum.begin(), spectrum.end());
    const auto d = static_cast<double>(spectrum.size());
    for (double lr : {0.1, 0.5, 1.0}) {
      for (int workers : {1, 4, 16}) {
        for (int h : {1, 5, 12}) {
          const Bounds bounds{lr, mu, d * sigma * sigma, workers};
          std::vector<double> average(spectrum.size(), start);
          for (int phase = 0; phase < 30; ++phase) {
            for (int k = 1; k <= h; ++k) {
              double local = 0;
              for (std::size_t j = 0; j < spectrum.size(); ++j) {
                local += Moments{lr, spectrum[j], sigma, workers}.local(average[j], k);
              }
              EXPECT_LE(local, bounds.local(d * start, phase * h, k) * (1 + kExact));
              if (k <= 1 / (mu * lr * workers)) {
                EXPECT_LE(local, bounds.power(phase * h + k) * d * start +
                                     2 * d * sigma * sigma * lr / (workers * mu))
                    << "within twice the mini-batch bound up to k = 1 / (mu lr P)";
              }
            }
            double sum = 0;
            for (std::size_t j = 0; j < spectrum.size(); ++j) {
              const Moments moments{lr, spectrum[j], sigma, workers};
              average[j] = moments.next_average(average[j], h);
              sum += average[j];
            }
            EXPECT_LE(sum, bounds.average(d * start, (phase + 1) * h) * (1 + kExact));
          }
        }
      }
    }
  }
}

TEST(Patel, LocalVarianceGrowsInsideAPhase_2_7_2) {
  for (double lambda : kSpectrum) {
    const Moments moments{0.5, lambda, 1, 8};
    double average = 1;
    for (int phase = 0; phase < 2000; ++phase) average = moments.next_average(average, 12);
    for (int k = 0; k < 12; ++k) {
      EXPECT_GT(moments.local(average, k + 1), moments.local(average, k)) << k;
    }
  }
}

// The engine's iterates have these moments: 400 independent problems of five coordinates side by
// side.
TEST(Patel, MonteCarloAgreesWithTheRecursion_2_7_2) {
  const double lr = 0.5, sigma = 1;
  const int workers = 8, h = 12, copies = 400, size = 5 * copies;
  Quadratic quadratic(kSpectrum, sigma, 7);
  Engine engine({workers, size}, {lr, 0, 0, false}, fmt::format("local_sgd({})", h));
  quadratic.attach(engine);
  std::vector<double> average(size);
  for (int j = 0; j < size; ++j) average[j] = std::pow(std::cos(0.37 * j), 2);
  const auto expect_moment = [&](const at::Tensor& row, const std::vector<double>& expected) {
    const at::Tensor squares = row.pow(2).view({copies, 5}).sum(1);
    double mean = 0;
    for (double moment : expected) mean += moment / copies;
    const double error = squares.std().item<double>() / std::sqrt(copies);
    EXPECT_NEAR(squares.mean().item<double>(), mean, 5 * error);
  };
  for (int phase = 0; phase < 6; ++phase) {
    for (int k = 1; k <= h; ++k) {
      engine.step();
      if (k == h || k % 4 != 0) continue;
      std::vector<double> local(size);
      for (int j = 0; j < size; ++j) {
        local[j] = Moments{lr, quadratic.lambda(j), sigma, workers}.local(average[j], k);
      }
      expect_moment(engine.row(phase % workers), local);
    }
    for (int j = 0; j < size; ++j) {
      average[j] = Moments{lr, quadratic.lambda(j), sigma, workers}.next_average(average[j], h);
    }
    expect_moment(engine.row(0), average);
  }
}

TEST(Patel, TheRunningMeanIsTheMeanOfStoredIterates_2_7_7) {
  for (int h : {1, 7, 1000}) {
    for (const Sgd& sgd : {Sgd{0.05, 0, 0, false}, Sgd{0.05, 0.9, 1e-2, true}}) {
      const Problem problem{3, 21};
      Engine engine(problem, sgd, fmt::format("local_sgd({})", h));
      engine.sync().keep_running_mean();
      engine.run(kLength);
      const auto stored = reference::polyak_ruppert(problem, sgd, kLength, reference::every(h));
      const at::Tensor mean = engine.sync().running_mean().mean(0);
      for (int j = 0; j < problem.size; ++j) {
        EXPECT_NEAR(mean[j].item<double>(), stored[j], kExact);
      }
      EXPECT_EQ(engine.metered().exchanges(), kLength / h) << "no round of its own";
    }
  }
}

}  // namespace
}  // namespace entrain
