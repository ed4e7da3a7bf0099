#pragma once

// For tests only.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/strategy/catalogue.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {

/// The run that random strategies are for.
inline const RunFacts kRandomRun = {
    .workers = 4, .steps = 500, .steps_per_epoch = 50, .batch = 32, .first_decay = 250};

/// Texts of random strategies that validate() accepts for kRandomRun: a pure function of the seed.
class RandomStrategy {
 public:
  /// Writes a file of weights into `folder`, for matrix().
  RandomStrategy(std::uint64_t seed, const std::filesystem::path& folder)
      : random_(seed, Purpose::shuffle), weights_(folder / "weights.txt") {
    std::ofstream(weights_) << "0.5 0.5 0 0\n0.5 0 0.5 0\n0 0.5 0 0.5\n0 0 0.5 0.5\n";
  }

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }

  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }

  /// What was written so far: "schedule every", "topology ring", ...
  const std::set<std::string>& written() const { return written_; }

  std::string preset() {
    const auto& all = catalogue();
    const Choice<Strategy>& choice = all[below(all.size())].choice;
    return written_call("preset", choice);
  }

  /// `reads_loss`, `reads_lr`: whether the schedule may.
  std::string schedule(bool reads_loss, bool reads_lr, int depth = 0) {
    static const std::set<std::string> of_loss = {"ada_loss", "adacomm", "aga"};
    static const std::set<std::string> of_lr = {"quad_rule", "smooth_rule", "qsr"};
    static const std::set<std::string> of_schedules = {"until", "after"};
    for (;;) {
      const Choice<Schedule>& choice = one_of(schedule_choices());
      if (of_loss.contains(choice.name) && !reads_loss) continue;
      if (of_lr.contains(choice.name) && !reads_lr) continue;
      if (of_schedules.contains(choice.name) && depth == 4) continue;
      reads_loss_ = reads_loss;
      reads_lr_ = reads_lr;
      depth_ = depth;
      return written_call("schedule", choice);
    }
  }

  std::string topology(Topology::Kind kind, bool with_push_sum = false) {
    for (;;) {
      const Choice<Topology>& choice = one_of(topology_choices());
      if (choice.name == "push_sum" && !with_push_sum) continue;
      const Topology::Kind is = choice.name == "everyone" ? Topology::Kind::everyone
                                : choice.name == "groups" ? Topology::Kind::groups
                                                          : Topology::Kind::neighbours;
      if (is == kind) return written_call("topology", choice);
    }
  }

  /// One that goes with parameters, or not, and with the kind of topology.
  std::string codec(bool of_parameters, Topology::Kind kind, bool inner = false) {
    static const std::set<std::string> whole_rows = {"top_k", "random_k", "sign", "low_rank"};
    for (;;) {
      const Choice<Codec>& choice = one_of(codec_choices());
      const bool rows = whole_rows.contains(choice.name);
      if (rows && (of_parameters || kind != Topology::Kind::everyone)) continue;
      if (choice.name == "qsgd" && of_parameters) continue;
      if (inner && (choice.name == "exact" || choice.name == "error_feedback")) continue;
      of_parameters_ = of_parameters;
      kind_ = kind;
      return written_call("codec", choice);
    }
  }

  using Round = std::map<std::string, std::string>;

  /// Rounds as tables of texts, gradients first, each kind of round from narrow to wide.
  std::vector<Round> rounds() {
    if (chance(12)) return push_sum_rounds();
    std::vector<Round> all;
    fragments_ = chance(4) ? 2 + below(3) : 1;
    strided_ = chance(2);
    const std::uint64_t gradients = below(3);
    const std::uint64_t parameters = below(4) + (gradients == 0 ? 1 : 0);
    for (const Topology::Kind kind : narrow_to_wide(gradients)) {
      all.push_back({{"of", "gradients"},
                     {"when", schedule(false, false)},
                     {"whom", topology(kind)},
                     {"codec", codec(false, kind)}});
    }
    for (const Topology::Kind kind : narrow_to_wide(parameters)) all.push_back(parameters_on(kind));
    // A field left out is legal: a round over everyone may do what others may.
    for (Round& round : all) {
      std::erase_if(round, [&](const auto& field) {
        const bool divides = field.first == "slice" && fragments_ > 1;
        return field.first != "of" && !divides && chance(4);
      });
    }
    std::stable_sort(all.begin(), all.end(), [](const Round& a, const Round& b) {
      return std::pair(parameter_round(a), width(a)) < std::pair(parameter_round(b), width(b));
    });
    return all;
  }

  /// The rounds as one text, their fields in any order.
  std::string joined(const std::vector<Round>& rounds) {
    std::vector<std::string> texts;
    for (const Round& round : rounds) {
      std::vector<std::string> fields;
      for (const auto& [key, value] : round) {
        if (key != "of") fields.push_back(fmt::format("{}={}", key, value));
      }
      shuffle(fields);
      texts.push_back(fmt::format("{}({})", round.at("of"), fmt::join(fields, ", ")));
    }
    return fmt::format("{}", fmt::join(texts, " + "));
  }

 private:
  static bool parameter_round(const Round& round) { return round.at("of") != "gradients"; }

  static Topology::Kind width(const Round& round) {
    if (!round.contains("whom")) return Topology::Kind::everyone;
    return build_topology(parse_value(round.at("whom")), kRandomRun).kind;
  }

  std::vector<Topology::Kind> narrow_to_wide(std::uint64_t count) {
    std::vector<Topology::Kind> kinds;
    for (; count > 0; --count) kinds.push_back(static_cast<Topology::Kind>(below(3)));
    std::sort(kinds.begin(), kinds.end());
    return kinds;
  }

  Round parameters_on(Topology::Kind kind) {
    const bool neighbours = kind == Topology::Kind::neighbours;
    Round round = {{"of", neighbours || chance(2) ? "parameters" : "deltas"},
                   {"when", schedule(kind == Topology::Kind::everyone, true)},
                   {"whom", topology(kind)},
                   {"slice", slice()},
                   {"merge", written_call("merge", one_of(merge_choices()))},
                   {"delay", written_call("delay", one_of(delay_choices()))},
                   {"outer", neighbours ? "mean" : written_call("outer", one_of(outer_choices()))},
                   {"state", written_call("state policy", one_of(state_choices()))}};
    round["codec"] = codec(round["of"] == "parameters", kind);
    if (neighbours && round["delay"].find("anchor") != std::string::npos) round["delay"] = "period";
    if (round["state"].starts_with("average") && fragments_ > 1) round["state"] = "reset";
    if (round["state"].starts_with("average")) {
      round["merge"] = "adopt";
      round["delay"] = "steps(0)";
    }
    written_.insert(round["of"]);
    return round;
  }

  // Of the one division that all rounds of a strategy share.
  std::string slice() {
    if (fragments_ == 1) {
      written_.insert("slice all");
      return "all";
    }
    written_.insert("slice fragment");
    return fmt::format("fragment({}, of={}, pattern={})", below(fragments_), fragments_,
                       strided_ ? "strided" : "sequential");
  }

  std::vector<Round> push_sum_rounds() {
    written_.insert("topology push_sum");
    std::vector<Round> all = {
        {{"of", "parameters"},
         {"when", schedule(false, true)},
         {"whom", fmt::format("push_sum({})", topology(Topology::Kind::neighbours))}}};
    if (chance(2)) all.push_back({{"of", "parameters"}, {"when", schedule(true, true)}});
    return all;
  }

  template <class T>
  std::string written_call(const std::string& axis, const Choice<T>& choice) {
    written_.insert(axis + " " + choice.name);
    return text_of(choice.name, choice.parameters);
  }

  /// A call with the first few of its arguments by position and the others by name in any order;
  /// some of those that have defaults are left out.
  std::string text_of(const std::string& name, const std::vector<Parameter>& parameters) {
    std::vector<std::string> all, named;
    const std::uint64_t by_position = below(parameters.size() + 1);
    const bool rounds_for_alpha = chance(2);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string& parameter = parameters[i].name;
      bool left_out = parameters[i].fallback && chance(2);
      const bool linear = name == "ada_linear" || name == "ada_lupa_linear";
      if (linear && parameter == "alpha") left_out = rounds_for_alpha;
      if (linear && parameter == "rounds") left_out = !rounds_for_alpha;
      if (left_out) continue;
      const std::string value = argument(name, parameter);
      if (i < by_position && all.size() == i) {
        all.push_back(value);
      } else {
        named.push_back(fmt::format("{}={}", parameter, value));
      }
    }
    shuffle(named);
    all.insert(all.end(), named.begin(), named.end());
    if (all.empty()) return chance(4) ? name + "()" : name;
    return fmt::format("{}({})", name, fmt::join(all, chance(4) ? " , " : ", "));
  }

  /// A legal value; a parameter means the same wherever it stands, but for those named first.
  std::string argument(const std::string& call, const std::string& parameter) {
    if (call == "at") return rising_steps();
    if (call == "period") return chance(2) ? "anchor" : "nothing";
    if (call == "growing_local_sgd" || call == "growing") return share(3);
    if (parameter == "schedule") return schedule(reads_loss_, reads_lr_, depth_ + 1);
    if (parameter == "s") return whole(1, 127);
    if (parameter == "bucket") return one_of<std::string>({"64", "512"});
    if (parameter == "rank") return whole(1, 8);
    if (parameter == "min_rate") return "1.5";
    if (call == "sgp") return topology(Topology::Kind::neighbours);
    if (parameter == "codec" && call.find("diloco") != std::string::npos) {
      return codec(false, Topology::Kind::everyone);
    }
    if (parameter == "codec") return codec(of_parameters_, kind_, true);
    if (parameter == "fragments") return whole(1, 4);
    if (parameter == "tau") return whole(0, 5);
    if (parameter == "pattern") return chance(2) ? "strided" : "sequential";
    if (parameter == "topology") return topology(static_cast<Topology::Kind>(below(3)));
    if (parameter == "file") return fmt::format("\"{}\"", weights_.string());
    if (parameter == "exact" || parameter == "rescale") return chance(2) ? "true" : "false";
    if (parameter == "kind") return one_of<std::string>({"constant", "linear", "exponential"});
    if (parameter == "step" || parameter == "switch" || parameter == "warmup") {
      return chance(8) ? "first_decay" : steps(0);
    }
    if (parameter == "steps") return chance(2) ? "run" : whole(400, 600);
    if (parameter == "n") return chance(2) ? "run" : whole(1, 8);
    if (parameter == "batch") return chance(2) ? "run" : whole(1, 64);
    if (parameter == "m") return one_of<std::string>({"1", "2", "4"});
    if (parameter == "k" || parameter == "seed") return whole(0, 9);
    if (parameter == "over") return whole(1, 9);
    if (parameter == "rounds") return whole(2, 20);
    if (parameter == "tau0") return whole(1, 20);
    if (parameter == "cap" || parameter == "h_max") return whole(100, 1000);
    if (parameter == "radius") return fmt::format("1.{}", 5 + below(5));
    if (parameter == "alpha") return share(0.2);  // easgd's for up to 8 workers
    static const std::set<std::string> of_steps = {"h", "h1", "h2", "first", "block", "unit"};
    if (of_steps.contains(parameter)) return steps(1);
    static const std::set<std::string> of_share = {
        "beta", "momentum", "ema", "lr", "c", "mu", "q", "distance", "sigma", "fraction"};
    if (of_share.contains(parameter)) return share(0.9);  // which no rounding makes 1
    throw std::logic_error(fmt::format("no legal value is known of {} of {}", parameter, call));
  }

  std::string whole(std::uint64_t least, std::uint64_t most) {
    return fmt::format("{}", least + below(most - least + 1));
  }

  /// At most 100 steps, some of them as epochs.
  std::string steps(std::uint64_t least) {
    if (chance(3)) return fmt::format("{}ep", static_cast<double>(1 + below(20)) / 10);
    return whole(least, 100);
  }

  std::string rising_steps() {
    std::vector<std::string> all;
    std::uint64_t step = 0;
    for (auto left = below(6); left > 0; --left) {
      step += 1 + below(100);
      all.push_back(fmt::format("{}", step));
    }
    return fmt::format("[{}]", fmt::join(all, ", "));
  }

  /// A number between 0 and `most`, of few digits or of many, also far from 1.
  std::string share(double most) {
    const double number = random_.uniform() * most;
    if (chance(3)) return fmt::format("{:.1g}", number);
    return print_number(chance(8) ? number * 1e-9 : number);
  }

  void shuffle(std::vector<std::string>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
  }

  Stream random_;
  std::filesystem::path weights_;
  std::set<std::string> written_;
  bool reads_loss_ = false, reads_lr_ = false;  // of the schedule that is being written
  int depth_ = 0;
  std::uint64_t fragments_ = 1;
  bool strided_ = true;
  bool of_parameters_ = false;  // of the codec that is being written
  Topology::Kind kind_ = Topology::Kind::everyone;
};

}  // namespace entrain
