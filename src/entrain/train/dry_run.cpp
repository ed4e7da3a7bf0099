#include "entrain/train/dry_run.h"

#include "entrain/config/describe.h"
#include "entrain/report/table.h"
#include "entrain/strategy/advice.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/train/prepare.h"

namespace entrain {
namespace {

std::string warnings(const Prepared& prepared, const Cost& cost) {
  std::string text;
  if (cost.rounds.all() == 0) {
    text += "warning        the run ends before the first round is due\n";
  }
  if (prepared.workers() == 1) {
    text += "warning        one worker: nothing is exchanged; set workers\n";
  }
  for (const std::string& note :
       advice(prepared.training.strategy, prepared.workers(), prepared.comm.lossless)) {
    text += fmt::format("note           {}\n", note);
  }
  return text;
}

std::string data_memory(const Prepared& prepared) {
  if (!prepared.data) return "";
  const auto bytes = static_cast<double>(prepared.data->train.inputs.nbytes() +
                                         prepared.data->test.inputs.nbytes());
  return fmt::format(", {} for the data", print_bytes(bytes));
}

}  // namespace

std::string dry_run(const Resolved& resolved) {
  const Prepared prepared = prepare(resolved);
  const Training& training = prepared.training;
  Rows rows = initial_row(training.objective);
  Team team(1);
  const auto optimizer = training.make_optimizer(rows, team);
  RowBytes row = {.parameters = static_cast<double>(rows.gradients().nbytes()),
                  .buffers = static_cast<double>(rows.buffers().nbytes()),
                  .item = static_cast<double>(rows.gradients().element_size()),
                  .layout = &rows.layout()};
  for (const at::Tensor& buffer : optimizer->state().buffers) {
    row.state += static_cast<double>(buffer.nbytes());
  }
  const char* const key =
      resolved.values.strategy.rounds.empty() ? "strategy.preset" : "strategy.round[0]";
  const Cost cost = located(resolved, key, [&] {
    return predict_cost(
        training.strategy, prepared.workers(), prepared.facts.steps, row,
        [&](std::int64_t step) { return optimizer->lr() * training.lr_schedule.factor(step - 1); });
  });
  std::string text = describe(resolved) + "\n";
  text += fmt::format(
      "{} in {}, {}{}\n", print_count(prepared.workers(), "worker"),
      print_count(prepared.place.size, "process", "processes"),
      print_count(prepared.facts.steps, "step"),
      prepared.problem ? "" : fmt::format(" ({} an epoch)", prepared.facts.steps_per_epoch));
  text += fmt::format("parameters     {} in {} tensors, {} a worker\n", rows.layout().items,
                      rows.layout().entries.size(), print_bytes(row.parameters));
  text +=
      fmt::format("memory         {} for parameters, gradients and momentum of a process's {}{}\n",
                  print_bytes(3 * row.parameters * prepared.local_workers),
                  print_count(prepared.local_workers, "worker"), data_memory(prepared));
  text += fmt::format("strategy       {}\n", print_rounds(training.strategy));
  text += fmt::format("rounds         {}{}\n", print(cost.rounds),
                      reads_loss(training.strategy) ? " (were the loss constant)" : "");
  text += fmt::format(
      "bytes sent     {} a worker, {} a step on average\n", print_bytes(cost.bytes_sent_per_worker),
      print_bytes(cost.bytes_sent_per_worker / static_cast<double>(prepared.facts.steps)));
  return text + warnings(prepared, cost);
}

}  // namespace entrain
