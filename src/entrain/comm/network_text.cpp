#include <cmath>
#include <limits>

#include "entrain/comm/network.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

using Units = std::map<std::string, double>;
const Units kTimes = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {"min", 60}};
const Units kRates = {{"bit/s", 1 / 8.0},  {"kbit/s", 1e3 / 8}, {"Mbit/s", 1e6 / 8},
                      {"Gbit/s", 1e9 / 8}, {"kB/s", 1e3},       {"MB/s", 1e6},
                      {"GB/s", 1e9}};

// `above`: the greatest number that is refused.
double in_units(const std::string& text, const Units& units, double above, const char* wanted) {
  const Value value = parse_value(text);
  const auto unit = units.find(value.name);
  if (value.kind == Value::Kind::number && unit != units.end() && value.number > above) {
    const double scaled = value.number * unit->second;
    if (scaled < 1e15) return scaled;  // clocks stay finite
  }
  throw UsageError(fmt::format("'{}': must be {}", excerpt(text), wanted));
}

double bandwidth_in(const Arguments& a, const char* name) {
  return parse_bandwidth(print(a.value(name)));
}

Medium uplink(const Arguments& a) {
  return {a.canonical(), Medium::Kind::uplink, bandwidth_in(a, "capacity")};
}

// A bad spell that never ends would repeat a message for ever.
Loss bursty(const Arguments& a) {
  constexpr double longest_bad = 1000;
  const double good = a.real("good"), bad = a.real("bad"), loss = a.real("loss");
  if (!(good >= 1 && std::isfinite(good) && bad >= 1 && bad <= longest_bad)) {
    throw UsageError(
        fmt::format("{}: good and bad are mean numbers of messages: at least 1, and bad at most {}",
                    print(a.canonical()), longest_bad));
  }
  if (!(loss >= 0 && loss <= 1)) {
    throw UsageError(fmt::format("{}: loss is a probability, from 0 to 1", print(a.canonical())));
  }
  return {a.canonical(), good, bad, loss};
}

int worker_in(const Arguments& a, const char* name) {
  const std::int64_t worker = a.integer(name);
  const int workers = a.facts().workers;
  if (worker >= 0 && worker < workers) return static_cast<int>(worker);
  throw UsageError(fmt::format("{}: there is no worker {} among {}, numbered from 0",
                               print(a.canonical()), worker, workers));
}

OwnLink own_link(const Arguments& a, const Link& others) {
  OwnLink own = {worker_in(a, "from"), worker_in(a, "to"), others, a.boolean("one_way")};
  if (own.from == own.to) {
    throw UsageError(
        fmt::format("{}: worker {} is linked to itself", print(a.canonical()), own.to));
  }
  if (!a.is("bandwidth", "auto")) own.link.bandwidth = bandwidth_in(a, "bandwidth");
  if (!a.is("latency", "auto")) own.link.latency = parse_latency(print(a.value("latency")));
  return own;
}

}  // namespace

double parse_seconds(const std::string& text) {
  return in_units(text, kTimes, 0, "a time with its unit, as in 20 ms, above 0");
}

double parse_latency(const std::string& text) {
  return in_units(text, kTimes, -std::numeric_limits<double>::denorm_min(),
                  "a time with its unit, as in 20 ms, not below 0");
}

double parse_bandwidth(const std::string& text) {
  return in_units(text, kRates, 0, "a rate with its unit, as in 100 Mbit/s, above 0");
}

const std::vector<Choice<Medium>>& medium_choices() {
  static const std::vector<Choice<Medium>> choices = {
      {"switched",
       {},
       "a worker's link is its own, and full duplex",
       [](const Arguments&) { return Medium(); }},
      {"uplink",
       {{"capacity"}},
       "all messages also pass one uplink, as in uplink(1 Gbit/s), in the order in which they are "
       "ready",
       uplink},
      {"shared",
       {},
       "one half-duplex medium, as a radio channel is: messages go one after the other",
       [](const Arguments& a) {
         return Medium{a.canonical(), Medium::Kind::shared};
       }},
  };
  return choices;
}

const std::vector<Choice<Loss>>& loss_choices() {
  static const std::vector<Choice<Loss>> choices = {
      {"none", {}, "nothing is lost", [](const Arguments&) { return Loss(); }},
      {"bursty",
       {{"good"}, {"bad"}, {"loss"}},
       "good and bad spells of a worker's messages, of so many on average; in a bad one a message "
       "is lost with probability `loss` and sent again after a time-out of 2 latencies and its own "
       "time; values stay as they are (Gilbert-Elliott)",
       bursty},
  };
  return choices;
}

std::vector<Choice<OwnLink>> link_choices(const Link& others) {
  return {{"link",
           {{"from"}, {"to"}, {"bandwidth", "auto"}, {"latency", "auto"}, {"one_way", "false"}},
           "the link between two workers, both ways unless one_way=true; auto: as the others",
           [others](const Arguments& a) { return own_link(a, others); }}};
}

std::map<std::pair<int, int>, Link> parse_links(const std::string& text, const Link& others,
                                                int workers) {
  const Value list = parse_value(text);
  if (list.kind != Value::Kind::list) {
    throw UsageError(
        fmt::format("'{}': must be a list, as in [link(0, 1, 100 Mbit/s, 10 ms)]", excerpt(text)));
  }
  std::map<std::pair<int, int>, Link> between;
  const auto choices = link_choices(others);
  for (const Argument& item : list.arguments) {
    const OwnLink own = build(choices, item.value, "link", {.workers = workers});
    const bool fresh = between.try_emplace({own.from, own.to}, own.link).second &&
                       (own.one_way || between.try_emplace({own.to, own.from}, own.link).second);
    if (fresh) continue;
    throw UsageError(fmt::format("{}: that way is given twice", print(item.value)));
  }
  return between;
}

}  // namespace entrain
