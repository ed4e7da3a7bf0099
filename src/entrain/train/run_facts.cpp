#include "entrain/train/run_facts.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "entrain/core/version.h"
#include "entrain/strategy/parameters_hash.h"

namespace entrain {
namespace {

std::string hash_of(const at::Tensor& values) {
  return text_hash({static_cast<const char*>(values.data_ptr()), values.nbytes()});
}

void add_samples(const std::string& part, const Samples& samples, Facts& facts) {
  facts.push_back(
      {fmt::format("the number of {} samples", part), std::to_string(samples.labels.size(0))});
  facts.push_back({fmt::format("the content of the {} samples", part),
                   hash_of(samples.inputs) + " " + hash_of(samples.labels)});
}

}  // namespace

Facts run_facts(const Settings& settings, const Prepared& prepared) {
  Facts facts = {{"the version of entrain", kVersion},
                 {"workers", std::to_string(prepared.workers())},
                 {"seed", std::to_string(settings.seed)},
                 {"data.name", settings.data.name},
                 {"data.partition", settings.data.partition}};
  if (prepared.data) {
    add_samples("training", prepared.data->train, facts);
    add_samples("test", prepared.data->test, facts);
  }
  const Facts others = {{"model.name", settings.model.name},
                        {"problem.name", settings.problem.name},
                        {"train.batch", std::to_string(settings.train.batch)},
                        {"train.optimizer", settings.train.optimizer},
                        {"train.lr_schedule", settings.train.lr_schedule},
                        {"the number of steps", std::to_string(prepared.facts.steps)},
                        {"comm.transport", settings.comm.transport},
                        {"comm.sums", settings.comm.sums},
                        {"comm.links", settings.comm.links},
                        {"comm.compression", settings.comm.compression},
                        {"report.trace", settings.report.trace},
                        {"evaluation.every", settings.evaluation.every},
                        {"evaluation.window", std::to_string(settings.evaluation.window)},
                        {"evaluation.model", settings.evaluation.model},
                        {"evaluation.batch_norm", settings.evaluation.batch_norm}};
  facts.insert(facts.end(), others.begin(), others.end());
  return facts;
}

}  // namespace entrain
