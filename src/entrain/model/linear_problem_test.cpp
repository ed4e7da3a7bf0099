#include "entrain/model/linear_problem.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

#include "entrain/core/test_refusal.h"
#include "entrain/data/test_files.h"
#include "entrain/model/test_problems.h"

namespace entrain {
namespace {

constexpr std::int64_t kFeatures = 6, kSamples = 30, kBatch = 70;  // a batch of two chunks

// Three classes or labels -1 and 1, for three workers with shards of 3, 7 and 20 samples.
LinearTask some_task(Loss loss) {
  LinearTask task;
  task.loss = loss;
  task.classes = loss == Loss::softmax ? 3 : 1;
  task.data.samples = kSamples;
  task.data.features = kFeatures;
  task.data.dense = numbers({kSamples, kFeatures});
  task.data.labels = loss == Loss::softmax ? at::arange(kSamples, at::kDouble).remainder(3)
                                           : at::sign(numbers({kSamples}, 1, 4));
  task.lambda = 0.1;
  task.shards = Shards(3);
  for (std::int64_t i = 0; i < kSamples; ++i) {
    task.shards[i < 3 ? 0 : i < 10 ? 1 : 2].push_back(29 - i);
  }
  return task;
}

const ProblemFacts kFacts = {.workers = 3, .batch = kBatch, .seed = 5};

at::Tensor losses_of(const LinearTask& task, const at::Tensor& x, const at::Tensor& picked) {
  const at::Tensor h = task.data.dense.index_select(0, picked);
  const at::Tensor labels = task.data.labels.index_select(0, picked);
  const at::Tensor scores = h.mm(x.reshape({task.classes, kFeatures}).t());
  if (task.loss == Loss::softmax) {
    return at::cross_entropy_loss(scores, labels.to(at::kLong), {}, at::Reduction::None);
  }
  if (task.loss == Loss::squared) return (scores.squeeze(1) - labels).pow(2) / 2;
  return at::log1p(at::exp(-labels * scores.squeeze(1)));
}

// The definition, over the given samples.
at::Tensor plain_loss(const LinearTask& task, const at::Tensor& x,
                      const std::vector<std::int64_t>& picked) {
  return losses_of(task, x, at::tensor(picked, at::kLong)).mean() +
         task.lambda / 2 * x.pow(2).sum() + task.rho * (x.pow(2) / (1 + x.pow(2))).sum();
}

at::Tensor plain_f(const LinearTask& task, const at::Tensor& x) {
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (const auto& shard : task.shards) sum = sum + plain_loss(task, x, shard);
  return sum / static_cast<double>(task.shards.size());
}

at::Tensor slope_of(const std::function<at::Tensor(const at::Tensor&)>& f, const at::Tensor& x) {
  at::Tensor point = x.clone().set_requires_grad(true);
  f(point).backward();
  return point.grad();
}

std::vector<std::int64_t> batch_of(const LinearTask& task, std::int64_t step, int worker) {
  Stream stream(kFacts.seed, Purpose::sample, worker, step);
  std::vector<std::int64_t> picked;
  for (int k = 0; k < kBatch; ++k) {
    const auto& shard = task.shards[worker];
    picked.push_back(shard[(std::uint64_t{stream.next()} * shard.size()) >> 32]);
  }
  return picked;
}

const std::vector<Loss> kLosses = {Loss::logistic, Loss::squared, Loss::softmax};

TEST(LinearProblem, GradientsAreThoseOfAutogradOverTheDrawnBatch) {
  for (const Loss loss : kLosses) {
    LinearTask task = some_task(loss);
    task.rho = 0.2;
    const auto problem = linear_problem(task, kFacts);
    ASSERT_EQ(problem->dimension(), kFeatures * task.classes);
    const at::Tensor x = numbers({3, problem->dimension()}, 1, 8);
    for (const std::int64_t step : {0, 41}) {
      const Drawn ours = drawn(*problem, step, 0, x);
      for (int i = 0; i < 3; ++i) {
        const auto picked = batch_of(task, step, i);
        const auto f = [&](const at::Tensor& at) { return plain_loss(task, at, picked); };
        EXPECT_NEAR(ours.losses[i].item<double>(), f(x[i]).item<double>(), 1e-14);
        expect_near(ours.gradients[i], slope_of(f, x[i]), 1e-14);
      }
    }
  }
}

TEST(LinearProblem, ObjectiveAndGradientAreThoseOfTheDefinition) {
  for (const Loss loss : kLosses) {
    LinearTask task = some_task(loss);
    task.rho = 0.2;
    const auto problem = linear_problem(task, kFacts);
    const at::Tensor points = numbers({4, problem->dimension()}, 1, 8);
    const auto f = [&](const at::Tensor& at) { return plain_f(task, at); };
    const at::Tensor values = problem->objective(points);
    for (int p = 0; p < 4; ++p) {
      EXPECT_NEAR(values[p].item<double>(), f(points[p]).item<double>(), 1e-14);
      EXPECT_NEAR(problem->objective(points.narrow(0, p, 1)).item<double>(),
                  values[p].item<double>(), 1e-15);
      expect_near(problem->gradient(points[p]), slope_of(f, points[p]), 1e-14);
    }
    EXPECT_FALSE(problem->optimum()) << "not convex";
  }
}

TEST(LinearProblem, GradientIsTheSlopeOfTheObjective) {
  for (const Loss loss : kLosses) {
    const auto problem = linear_problem(some_task(loss), kFacts);
    const at::Tensor x = numbers({problem->dimension()}, 1, 8);
    const at::Tensor steps = at::eye(problem->dimension(), at::kDouble) * 1e-5;
    expect_near((problem->objective(x + steps) - problem->objective(x - steps)) / 2e-5,
                problem->gradient(x), 1e-9);
  }
}

// The mean of what is drawn, within five of its deviations in every coordinate.
TEST(LinearProblem, DrawsEverySampleOfTheShardAlike) {
  const LinearTask task = some_task(Loss::logistic);
  const auto problem = linear_problem(task, kFacts);
  const at::Tensor x = numbers({kFeatures}, 1, 8).expand({3, kFeatures}).contiguous();
  std::vector<at::Tensor> all;
  for (int step = 0; step < 500; ++step) all.push_back(drawn(*problem, step, 0, x).gradients);
  const at::Tensor gradients = at::stack(all);
  const at::Tensor deviation = gradients.std(0) / std::sqrt(500.0);
  for (int i = 0; i < 3; ++i) {
    const auto f = [&](const at::Tensor& at) { return plain_loss(task, at, task.shards[i]); };
    const at::Tensor apart = (gradients.mean(0)[i] - slope_of(f, x[i])).abs() / deviation[i];
    EXPECT_LT(apart.max().item<double>(), 5) << "worker " << i;
  }
}

TEST(LinearProblem, DrawsDependOnSeedWorkerAndStepAlone) {
  const auto problem = linear_problem(some_task(Loss::logistic), kFacts);
  const at::Tensor x = numbers({3, kFeatures + 5}, 1, 8).narrow(1, 2, kFeatures);
  const Drawn all = drawn(*problem, 9, 0, x);
  Drawn parts{at::empty({3, kFeatures}, at::kDouble), at::empty({3}, at::kDouble)};
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      problem->gradients(9, i, x.narrow(0, i, 1), parts.gradients.narrow(0, i, 1),
                         parts.losses.narrow(0, i, 1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(parts.gradients.equal(all.gradients));
  EXPECT_TRUE(parts.losses.equal(all.losses));
  EXPECT_FALSE(drawn(*problem, 10, 0, x).losses.equal(all.losses));
  ProblemFacts other = kFacts;
  other.seed = 6;
  const auto reseeded = linear_problem(some_task(Loss::logistic), other);
  EXPECT_FALSE(drawn(*reseeded, 9, 0, x).losses.equal(all.losses));
  EXPECT_TRUE(reseeded->objective(x).equal(problem->objective(x)));
}

TEST(LinearProblem, IsTheSameInFloatButForRounding) {
  for (const Loss loss : kLosses) {
    ProblemFacts facts = kFacts;
    const auto in_double = linear_problem(some_task(loss), facts);
    facts.type = at::kFloat;
    const auto in_float = linear_problem(some_task(loss), facts);
    const at::Tensor x = numbers({3, in_double->dimension()}, 1, 8);
    const Drawn ours = drawn(*in_float, 3, 0, x.to(at::kFloat)),
                wanted = drawn(*in_double, 3, 0, x);
    expect_near(ours.gradients, wanted.gradients, 2e-6);
    expect_near(ours.losses, wanted.losses, 2e-6);
    expect_near(in_float->objective(x), in_double->objective(x), 1e-6);
  }
}

TEST(LinearProblem, IsTheSameForSparseRows) {
  LinearTask task = some_task(Loss::softmax);
  task.data.dense = task.data.dense * (task.data.dense > 1).to(at::kDouble);
  LinearTask sparse = task;
  sparse.data.dense = at::Tensor();
  sparse.data.columns = task.data.dense.nonzero().select(1, 1).to(at::kInt);
  sparse.data.values = task.data.dense.masked_select(task.data.dense != 0);
  sparse.data.offsets = at::zeros({kSamples + 1}, at::kLong);
  sparse.data.offsets.narrow(0, 1, kSamples).copy_((task.data.dense != 0).sum(1).cumsum(0));
  ASSERT_LT(sparse.data.values.numel(), kSamples * kFeatures / 4);
  const auto ours = linear_problem(sparse, kFacts), wanted = linear_problem(task, kFacts);
  const at::Tensor x = numbers({3, ours->dimension()}, 1, 8);
  expect_near(drawn(*ours, 3, 0, x).gradients, drawn(*wanted, 3, 0, x).gradients, 1e-15);
  expect_near(ours->objective(x), wanted->objective(x), 1e-15);
  expect_near(ours->gradient(x[0]), wanted->gradient(x[0]), 1e-15);
  expect_near(ours->optimum()->point, wanted->optimum()->point, 1e-10);
}

TEST(LinearProblem, OptimumHasNoGradientAndIsLeast) {
  for (const Loss loss : kLosses) {
    const auto problem = linear_problem(some_task(loss), kFacts);
    const auto least = problem->optimum();
    ASSERT_TRUE(least);
    EXPECT_LE(problem->gradient(least->point).norm().item<double>(), 1e-13);
    EXPECT_NEAR(problem->objective(least->point.unsqueeze(0)).item<double>(), least->value, 1e-15);
    const at::Tensor around = least->point + numbers({20, problem->dimension()}, 1e-3, 8);
    EXPECT_GT(problem->objective(around).min().item<double>(), least->value);
  }
}

TEST(LinearProblem, StartsAtZeroOrAtTheOptimum) {
  LinearTask task = some_task(Loss::logistic);
  EXPECT_EQ(linear_problem(task, kFacts)->start().abs().sum().item<double>(), 0);
  task.start_at_optimum = true;
  const auto problem = linear_problem(task, kFacts);
  EXPECT_TRUE(problem->start().equal(problem->optimum()->point));
  task.rho = 1;
  EXPECT_NE(refusal_of([&] { linear_problem(task, kFacts)->start(); }).find("start = optimum"),
            std::string::npos);
}

TEST(LinearProblem, RefusesWorkersWithoutSamples) {
  LinearTask task = some_task(Loss::logistic);
  task.shards[1].clear();
  EXPECT_NE(refusal_of([&] { linear_problem(task, kFacts); }).find("worker 1 of 3 has no samples"),
            std::string::npos);
  ProblemFacts facts = kFacts;
  facts.batch = 0;
  EXPECT_NE(refusal_of([&] { linear_problem(some_task(Loss::logistic), facts); }).find("batch = 0"),
            std::string::npos);
}

struct Reference {
  const char* text;
  double least, norm;
};

// Newton's method of another program, to a gradient below 1e-15, on these very files.
const std::vector<Reference> kReferences = {
    {"libsvm(a9a)", 0.32337958246485, 6.222226},
    {"libsvm(w8a)", 0.12618068651051, 27.689598},
    {"libsvm(mushrooms)", 0.01448586612833, 12.334571},
    {"libsvm(phishing)", 0.18682855053945, 25.506640},
    {"libsvm(heart_scale)", 0.36380296114125, 2.348336},
    {"libsvm(\"german.numer_scale\")", 0.47093375373563, 2.191827}};

TEST(LinearProblem, FindsTheReferenceOptimaOfLibsvmSets) {
  ENTRAIN_NEEDS_DATA("libsvm");
  for (const Reference& set : kReferences) {
    ProblemFacts facts{.workers = 16, .data_root = real_data("libsvm")};
    const std::string text = set.text;
    const auto problem = problem_of(text.substr(0, text.size() - 1) + ", shared=true)", facts);
    const auto least = problem->optimum();
    ASSERT_TRUE(least) << text;
    EXPECT_NEAR(least->value, set.least, 1e-12) << text;
    EXPECT_NEAR(least->point.norm().item<double>(), set.norm, 1e-6) << text;
    EXPECT_LE(problem->gradient(least->point).norm().item<double>(), 1e-12) << text;
  }
}

}  // namespace
}  // namespace entrain
