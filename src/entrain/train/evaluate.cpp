#include "entrain/train/evaluate.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

constexpr std::int64_t kBatch = 500;

struct Share {
  double loss = 0;
  std::int64_t right = 0;
};

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
std::vector<T> values_of(const std::string& bytes) {
  ENTRAIN_CHECK(bytes.size() % sizeof(T) == 0);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace

Evaluator::Evaluator(const Objective& objective, Team& team)
    : data_(*objective.data),
      type_(objective.type),
      team_(team),
      model_(seeded_model(objective.make_model, objective.task, objective.type, objective.seed)),
      rows_(std::vector<ModelTensors>{tensors_of(*model_)}) {
  model_->train(false);
}

// The first samples of the training set, the same for every process.
std::vector<at::Tensor> Evaluator::recalibration_batches() const {
  constexpr std::int64_t batches = 20, size = 128;
  std::vector<at::Tensor> inputs;
  const std::int64_t samples = data_.train.labels.size(0);
  for (std::int64_t begin = 0; begin < std::min(samples, batches * size); begin += size) {
    std::vector<std::int64_t> indices(std::min(size, samples - begin));
    std::iota(indices.begin(), indices.end(), begin);
    inputs.push_back(gather(data_, data_.train, indices, type_).inputs);
  }
  return inputs;
}

// Batch b of the test samples is done by process b mod P, and the sums are taken in the order of
// batches.
Evaluation Evaluator::evaluate(const at::Tensor& row, BatchNormPolicy batch_norm,
                               Communicator& comm) {
  rows_.everything().copy_(row);
  if (batch_norm == BatchNormPolicy::recalibrate) model_->recalibrate(recalibration_batches());
  const std::int64_t samples = data_.test.labels.size(0);
  const std::int64_t batches = (samples + kBatch - 1) / kBatch;
  const std::int64_t own = (batches - comm.rank() + comm.size() - 1) / comm.size();
  std::vector<Share> shares(own);
  team_.each(static_cast<int>(own), [&](int i) {
    const at::NoGradGuard no_grad;
    const std::int64_t begin = (comm.rank() + i * comm.size()) * kBatch;
    std::vector<std::int64_t> indices(std::min(kBatch, samples - begin));
    std::iota(indices.begin(), indices.end(), begin);
    const Batch batch = gather(data_, data_.test, indices, type_);
    const at::Tensor scores = model_->forward(batch.inputs);
    const at::Tensor losses = at::cross_entropy_loss(scores, batch.labels, {}, at::Reduction::Sum);
    shares[i] = {losses.item<double>(),
                 scores.argmax(1).eq(batch.labels).sum().item<std::int64_t>()};
  });
  std::vector<std::vector<Share>> all;
  for (const std::string& bytes : comm.gather(bytes_of(shares))) {
    all.push_back(values_of<Share>(bytes));
  }
  double loss = 0;
  std::int64_t right = 0;
  for (std::int64_t b = 0; b < batches; ++b) {
    const Share& share = all[b % comm.size()].at(b / comm.size());
    loss += share.loss;
    right += share.right;
  }
  return {loss / static_cast<double>(samples),
          static_cast<double>(right) / static_cast<double>(samples)};
}

double consensus_distance(const Rows& rows, const at::Tensor& mean, Communicator& comm) {
  const at::Tensor centre = mean[0].narrow(0, 0, rows.layout().columns);
  double squares = 0;
  for (std::int64_t i = 0; i < rows.workers(); ++i) {
    const double distance = (rows.parameters()[i] - centre).norm(2, at::kDouble).item<double>();
    squares += distance * distance;
  }
  return std::sqrt(sum_over_processes(squares, comm) / comm.workers());
}

double sum_over_processes(double value, Communicator& comm) {
  double sum = 0;
  for (const double other : gather_values({value}, comm)) sum += other;
  return sum;
}

std::vector<double> gather_values(const std::vector<double>& own, Communicator& comm) {
  std::vector<double> all;
  for (const std::string& bytes : comm.gather(bytes_of(own))) {
    for (const double value : values_of<double>(bytes)) all.push_back(value);
  }
  return all;
}

}  // namespace entrain
