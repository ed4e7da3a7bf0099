#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "entrain/report/table.h"
#include "entrain/strategy/catalogue.h"
#include "entrain/strategy/cost.h"
#include "entrain/strategy/schedule_report.h"
#include "entrain/strategy/strategy_text.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kLr = 0.1;  // of the steps, for schedules that read it

Json json_of(const Preset& preset) {
  return {{"name", preset.choice.name},
          {"signature", signature(preset.choice)},
          {"meaning", preset.choice.meaning},
          {"paper", preset.paper},
          {"equations", preset.equations}};
}

void list(CommandLine& line) {
  if (line.json) {
    Json all = Json::array();
    for (const Preset& preset : catalogue()) all.push_back(json_of(preset));
    fmt::print("{}\n", all.dump(2));
    return;
  }
  for (const Preset& preset : catalogue()) {
    const std::string text = signature(preset.choice);
    if (text.size() > 46) fmt::print("{}\n", text);
    fmt::print("{:<48}{}\n", text.size() > 46 ? "" : text, preset.choice.meaning);
  }
  fmt::print("\nEach is rounds on these axes; entrain strategy show NAME spells it out.\n");
}

const Preset* find_preset(const std::string& name) {
  for (const Preset& preset : catalogue()) {
    if (preset.choice.name == name) return &preset;
  }
  return nullptr;
}

struct ShowArguments {
  std::string text;
  bool rounds = false;
  RunFacts facts = {8, 1000, 0, 64};
  double megabytes = 1;
};

void print_preset(const Preset& preset) {
  std::string equations = "  " + preset.equations;
  for (std::size_t at = 0; (at = equations.find('\n', at)) != std::string::npos; at += 3) {
    equations.replace(at, 1, "\n  ");
  }
  fmt::print("{}: {}\n{}\n\n{}\n\n", signature(preset.choice), preset.choice.meaning, preset.paper,
             equations);
}

// A name alone explains the method; with its arguments there are rounds and costs to show.
void show(CommandLine& line, const ShowArguments& arguments) {
  const Value value = parse_values(arguments.text, '+').front();
  const Preset* preset = find_preset(value.name);
  if (preset && !line.json && !arguments.rounds) print_preset(*preset);
  const auto required = [](const Parameter& parameter) { return !parameter.fallback; };
  if (preset && value.arguments.empty() &&
      std::any_of(preset->choice.parameters.begin(), preset->choice.parameters.end(), required)) {
    if (line.json) {
      fmt::print("{}\n", json_of(*preset).dump(2));
    } else {
      fmt::print("Give its arguments to see its rounds and cost: {}\n", signature(preset->choice));
    }
    return;
  }
  const Strategy strategy = parse_strategy(arguments.text, arguments.facts);
  if (arguments.rounds) {
    fmt::print("{}\n", print_rounds(strategy));
    return;
  }
  const Cost cost =
      predict_cost(strategy, arguments.facts.workers, arguments.facts.steps,
                   {.parameters = 1e6 * arguments.megabytes}, [](std::int64_t) { return kLr; });
  if (line.json) {
    const Json json = {{"strategy", print(strategy)},
                       {"rounds_text", print_rounds(strategy)},
                       {"workers", arguments.facts.workers},
                       {"steps", arguments.facts.steps},
                       {"message_bytes", 1e6 * arguments.megabytes},
                       {"rounds",
                        {{"everyone", cost.rounds.everyone},
                         {"groups", cost.rounds.groups},
                         {"neighbours", cost.rounds.neighbours},
                         {"gradients", cost.rounds.gradients}}},
                       {"bytes_sent_per_worker", cost.bytes_sent_per_worker}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  const bool assumed = needs_shapes(strategy);
  fmt::print(
      "rounds:  {}\ncost of {} steps, {} workers, a model of {}{}:\n"
      "         {}; {} sent by each worker\n",
      print_rounds(strategy), arguments.facts.steps, arguments.facts.workers,
      print_bytes(1e6 * arguments.megabytes),
      fmt::format("{}{}", reads_loss(strategy) ? ", were the loss constant" : "",
                  assumed ? ", taken as one square matrix of equal fragments" : ""),
      print(cost.rounds), print_bytes(cost.bytes_sent_per_worker));
  const double step = effective_step(strategy);
  if (step != 1) {
    fmt::print(
        "effective step: {:.4g} of the learning rate; divide it by that to compare with "
        "synchronous SGD\n",
        step);
  }
  const ParameterRound* everyone = nullptr;
  for (const ParameterRound& round : strategy.parameters) {
    if (round.whom.kind == Topology::Kind::everyone) everyone = &round;
  }
  if (everyone) {
    fmt::print("\n{}",
               schedule_report(everyone->when, arguments.facts.steps, arguments.facts.workers,
                               static_cast<double>(arguments.facts.batch), kLr));
  }
}

// A message that says what is wanted; CLI11's own names the largest double.
std::string positive(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool number = !text.empty() && *end == '\0' && std::isfinite(value);
  return number && value > 0 ? "" : fmt::format("'{}': must be a number above 0", text);
}

}  // namespace

void add_strategy(CommandLine& line) {
  CLI::App* strategy =
      line.app.add_subcommand("strategy", "What methods there are, and what they do and cost");
  strategy->require_subcommand(1);
  CLI::App* all = strategy->add_subcommand("list", "Every method with a name");
  all->add_flag("--json", line.json, "Print as JSON");
  all->callback([&line] { list(line); });
  CLI::App* one = strategy->add_subcommand("show", "Equations, paper, rounds and cost of a method");
  auto arguments = std::make_shared<ShowArguments>();
  one->add_option("strategy", arguments->text, "A name, or a text such as 'local_sgd(8)'")
      ->required();
  one->add_flag("--rounds", arguments->rounds, "Print only the rounds that it stands for");
  one->add_option("--workers", arguments->facts.workers, "Workers n")
      ->capture_default_str()
      ->check(positive);
  one->add_option("--steps", arguments->facts.steps, "Steps T")
      ->capture_default_str()
      ->check(positive);
  one->add_option("--batch", arguments->facts.batch, "Batch B of a worker")
      ->capture_default_str()
      ->check(positive);
  one->add_option("--megabytes", arguments->megabytes, "Size of the model")
      ->capture_default_str()
      ->check(positive);
  one->add_flag("--json", line.json, "Print as JSON");
  one->callback([&line, arguments] { show(line, *arguments); });
}

}  // namespace entrain
