#include "entrain/config/settings.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "entrain/config/network_presets.h"
#include "entrain/config/toml.h"
#include "entrain/core/text.h"

namespace entrain {
namespace {

Check at_least(double least, double most = std::numeric_limits<double>::infinity()) {
  return {.least = least, .most = most};
}

Check more_than(double least, double most) {
  return {.least = least, .most = most, .above_least = true};
}

Check file_name() { return {.file_name = true}; }

Check one_of(std::vector<std::string> words) { return {.words = std::move(words)}; }

// The key and the field of a setting are one and the same text, so they cannot differ.
#define ENTRAIN_SETTING(path) #path, [](Settings & settings) -> Field { return &settings.path; }

std::vector<Setting> make_settings() {
  return {
      {ENTRAIN_SETTING(name), "part of the name of the run's folder", file_name()},
      {ENTRAIN_SETTING(seed), "seed of everything random", at_least(0)},
      {ENTRAIN_SETTING(workers), "workers in total; left out: as many as there are processes",
       at_least(1, 1e6)},

      {ENTRAIN_SETTING(data.name), "data set to train on"},
      {ENTRAIN_SETTING(data.root), "folder of the data sets, one folder each"},
      {ENTRAIN_SETTING(data.partition),
       "how the samples are dealt to the workers, as in dirichlet(0.5)"},

      {ENTRAIN_SETTING(model.name), "model to train"},

      {ENTRAIN_SETTING(problem.name),
       "problem to minimise, as in logistic or quadratic(dimension=5), in place of a model and a "
       "data set"},

      {ENTRAIN_SETTING(train.epochs), "passes of each worker over its share of the data",
       more_than(0, 1e9)},
      {ENTRAIN_SETTING(train.steps), "steps of each worker; 0: train.epochs counts",
       at_least(0, 1e12)},
      {ENTRAIN_SETTING(train.batch), "samples per worker and step", at_least(1, 1e9)},
      {ENTRAIN_SETTING(train.optimizer), "optimizer of each worker"},
      {ENTRAIN_SETTING(train.lr_schedule), "factor on the learning rate, step by step"},
      {ENTRAIN_SETTING(train.dtype), "numbers of the model: float32 or float64",
       one_of({"float32", "float64"})},

      {ENTRAIN_SETTING(strategy.preset),
       "strategy as one value; with neither this nor [[strategy.round]] tables: local_sgd(8)"},

      {ENTRAIN_SETTING(comm.transport),
       "what carries messages between processes: gloo, or mpi, for ranks that mpirun or srun "
       "started; auto: gloo",
       one_of({"auto", "gloo", "mpi"})},
      {ENTRAIN_SETTING(comm.sums),
       "fast, or reproducible: the same bits however workers are spread over processes",
       one_of({"fast", "reproducible"})},
      {ENTRAIN_SETTING(comm.links),
       "short, or long: large fast sums go another way over them, with other bits; auto: measured "
       "at the start, long from 3 ms there and back",
       one_of({"auto", "short", "long"})},
      {ENTRAIN_SETTING(comm.compression),
       "none, or lossless: averaged parameters (64 KiB and more) travel as what they differ in "
       "from the last average, for slow links; no bit is lost, but their fast sums are added up as "
       "over long links",
       one_of({"none", "lossless"})},
      {ENTRAIN_SETTING(comm.interface),
       "network interface at which the others reach this process, by name or address; empty: "
       "GLOO_SOCKET_IFNAME if that is set, else the one of the route to them"},
      {ENTRAIN_SETTING(comm.join_timeout), "time for all processes to make the first contact"},
      {ENTRAIN_SETTING(comm.patience),
       "time without a sign of life after which a process counts as lost; one that lives is waited "
       "for, whatever it computes"},

      {ENTRAIN_SETTING(threads.intra), "threads inside a tensor operation; 0: from the cores",
       at_least(0, 4096)},
      {ENTRAIN_SETTING(threads.workers),
       "workers of a process that step side by side; 0: from the cores", at_least(0, 4096)},

      {ENTRAIN_SETTING(evaluation.every),
       "steps or epochs between evaluations; auto: 1ep, or a fiftieth of a problem's run"},
      {ENTRAIN_SETTING(evaluation.window),
       "steps up to each evaluation that a problem's figures are averaged over", at_least(1, 1e9)},
      {ENTRAIN_SETTING(evaluation.model),
       "model that is evaluated: the average of the workers, the anchor of the strategy, "
       "polyak_ruppert (the mean over workers and steps), or workers (each one's own; the mean of "
       "their results)",
       one_of({"average", "anchor", "polyak_ruppert", "workers"})},
      {ENTRAIN_SETTING(evaluation.batch_norm),
       "its BatchNorm statistics: average (of the workers), recalibrate (on training samples), "
       "auto: "
       "average if the strategy keeps the workers' parameters together, else recalibrate",
       one_of({"auto", "average", "recalibrate"})},

      {ENTRAIN_SETTING(network.preset), "simulates a network: what is not given is as there",
       one_of(network_preset_names())},
      {ENTRAIN_SETTING(network.bandwidth),
       "simulates a network: a worker's link, as in 1 Gbit/s, without headers (TCP on Ethernet "
       "leaves 95.6 % of a link's rate); with neither this nor a preset: real time"},
      {ENTRAIN_SETTING(network.latency), "latency of a link, one way"},
      {ENTRAIN_SETTING(network.links),
       "links that differ, as in [link(0, 1, 100 Mbit/s, 10 ms), link(2, 0, latency=50 ms)]"},
      {ENTRAIN_SETTING(network.medium),
       "what the links share: switched (nothing), uplink(1 Gbit/s), shared (one half-duplex "
       "medium)"},
      {ENTRAIN_SETTING(network.loss),
       "messages that are lost and sent again: none, bursty(good=50, bad=5, loss=0.5)"},
      {ENTRAIN_SETTING(network.collective),
       "how a mean over everyone is made there: ring, direct (as entrain does over long links), "
       "halving_doubling or tree",
       one_of({"ring", "direct", "halving_doubling", "tree"})},
      {ENTRAIN_SETTING(network.compute),
       "time of a worker's step there: measured, constant(10 ms), exponential(10 ms), "
       "shifted_exponential(5 ms, 5 ms), pareto(10 ms, 3), trace(\"file\")"},
      {ENTRAIN_SETTING(network.straggler),
       "who is slower there: none, slow(probability=0.1, factor=5), factors([1, 2])"},

      {ENTRAIN_SETTING(report.every), "steps between step lines of metrics.jsonl", at_least(1)},
      {ENTRAIN_SETTING(report.rounds), "which rounds have a line in metrics.jsonl: all or none",
       one_of({"all", "none"})},
      {ENTRAIN_SETTING(report.trace),
       "whether trace.json is written, with what every rank or simulated worker did when: all, "
       "none, "
       "auto (of a simulated run)",
       one_of({"auto", "all", "none"})},
  };
}

#undef ENTRAIN_SETTING

/// Writes and checks the value of a field.
struct ValueText {
  std::string operator()(const std::string* value) const { return toml_quote(*value); }
  std::string operator()(const double* value) const { return print_number(*value); }
  template <class Integer>
  std::string operator()(const Integer* value) const {
    return fmt::format("{}", *value);
  }
};

bool fits_file_name(const std::string& text) {
  const auto plain = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 100 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), plain);
}

struct Objection {
  const Check& check;

  std::string operator()(const std::string* text) const {
    if (!is_utf8(*text)) return "must be UTF-8 without zero bytes";
    if (check.file_name && !fits_file_name(*text)) {
      return "must be 1 to 100 letters, digits, '.', '_' and '-', and not begin with '.'";
    }
    const auto& words = check.words;
    if (words.empty() || std::find(words.begin(), words.end(), *text) != words.end()) return "";
    const std::string near = nearest(*text, words);
    return fmt::format("must be {}{}", fmt::join(words, " or "),
                       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
  }

  template <class Number>
  std::string operator()(const Number* number) const {
    const auto value = static_cast<double>(*number);
    if (!std::isfinite(value)) return "must be a finite number";
    if (check.above_least && value <= check.least) {
      return fmt::format("must be more than {}", print_number(check.least));
    }
    if (value < check.least) return fmt::format("must be at least {}", print_number(check.least));
    if (value > check.most) return fmt::format("must be at most {}", print_number(check.most));
    return "";
  }
};

}  // namespace

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

const Setting* find_setting(std::string_view key) {
  for (const Setting& setting : settings_table()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

std::string table_of(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return dot == std::string_view::npos ? "" : std::string(key.substr(0, dot));
}

std::string type_of(const Setting& setting) {
  Settings values;
  const Field field = setting.field(values);
  if (std::holds_alternative<std::string*>(field)) return "text";
  return std::holds_alternative<double*>(field) ? "a number" : "a whole number";
}

std::string value_text(const Setting& setting, Settings values) {
  return std::visit(ValueText{}, setting.field(values));
}

std::string objection(const Setting& setting, Settings values) {
  return std::visit(Objection{setting.check}, setting.field(values));
}

std::string objection(const Check& check, const std::string& text) {
  return Objection{check}(&text);
}

const std::vector<RoundKey>& round_keys() {
  static const std::vector<RoundKey> keys{
      {"of", "what is exchanged: gradients, parameters or deltas (required)",
       one_of({"gradients", "parameters", "deltas"})},
      {"when", "at which steps, as in every(8)"},
      {"whom", "averaged with whom, as in everyone"},
      {"codec", "in which form it travels, as in exact"},
      {"outer", "how the anchor moves, as in mean"},
      {"merge", "how a worker meets the anchor, as in adopt"},
      {"delay", "how long it is in flight, as in steps(0)"},
      {"slice", "which part of the model"},
      {"state", "what becomes of buffers and of the optimizer's state"},
  };
  return keys;
}

}  // namespace entrain
