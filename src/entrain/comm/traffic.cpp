#include "entrain/comm/traffic.h"

#include <algorithm>
#include <tuple>

namespace entrain {

Traffic::Traffic(Network network, int workers, std::uint64_t seed)
    : network_(std::move(network)), links_free_(workers), repeats_(network_.loss, workers, seed) {}

std::vector<double> Traffic::begins(const std::vector<double>& clocks) {
  std::vector<double> begins(clocks.size());
  for (std::size_t i = 0; i < begins.size(); ++i) begins[i] = std::max(clocks[i], links_free_[i]);
  medium_.forget_before(*std::min_element(begins.begin(), begins.end()));
  return begins;
}

void Traffic::occupy(const Times& times) {
  for (std::size_t i = 0; i < links_free_.size(); ++i) {
    links_free_[i] = std::max(links_free_[i], times.ends[i]);
  }
}

Traffic::Times Traffic::mean(const std::vector<double>& clocks, int group, double bytes) {
  Times times{begins(clocks), std::vector<double>(clocks.size())};
  auto& [begins, ends] = times;
  std::vector<std::pair<double, int>> groups;  // when it begins, its first worker
  for (int first = 0; first < static_cast<int>(begins.size()); first += group) {
    const auto member = begins.begin() + first;
    groups.emplace_back(*std::max_element(member, member + group), first);
  }
  if (network_.medium.kind != Medium::Kind::switched) std::sort(groups.begin(), groups.end());
  for (const auto& [begin, first] : groups) {
    std::fill_n(begins.begin() + first, group, begin);
    std::fill_n(ends.begin() + first, group, mean_end(first, group, begin, bytes));
  }
  occupy(times);
  return times;
}

double Traffic::mean_end(int first, int n, double begin, double bytes) {
  const Medium::Kind kind = network_.medium.kind;
  const double end = begin + network_.mean_seconds(first, n, bytes);
  if (n <= 1 || (kind == Medium::Kind::switched && repeats_.none())) return end;
  const auto messages = network_.mean_messages(first, n, bytes);
  std::int64_t most = 0, all = 0;
  for (int worker = first; worker < first + n; ++worker) {
    const std::int64_t own = repeats_.of_next(worker, messages.of_a_worker);
    most = std::max(most, own);
    all += own;
  }
  const auto late = [&](std::int64_t repeats) {
    return static_cast<double>(repeats) * messages.again_seconds();
  };
  if (kind == Medium::Kind::shared) {
    return medium_.take(begin, messages.serial_seconds() + late(all));
  }
  if (kind == Medium::Kind::switched) return end + late(most);
  return std::max(end + late(most), medium_.take(begin, messages.bytes / network_.medium.capacity));
}

Traffic::Times Traffic::mix(const std::vector<double>& clocks, const Mixing& mixing, double bytes) {
  Times times{begins(clocks), {}};
  times.ends = times.begins;
  const bool switched = network_.medium.kind == Medium::Kind::switched;
  if (switched && network_.between.empty() && repeats_.none()) {
    mix_alike(mixing, bytes, times);
  } else {
    auto messages = messages_of(mixing, bytes, times);
    if (network_.medium.kind != Medium::Kind::shared) mix_apart(messages, bytes, times);
    if (!switched) pass_medium(std::move(messages), bytes, times);
  }
  occupy(times);
  return times;
}

// What messages_of() and mix_apart() come to where all links are alike and nothing is lost; for
// thousands of workers in each step.
void Traffic::mix_alike(const Mixing& mixing, double bytes, Times& times) const {
  const double* begins = times.begins.data();
  for (int i = 0; i < static_cast<int>(mixing.rows.size()); ++i) {
    double ready = links_free_[i];
    int others = 0;
    for (const Mixing::Term& term : mixing.rows[i]) {
      if (term.worker == i) continue;
      ready = std::max(ready, begins[term.worker]);
      ++others;
    }
    if (others == 0) continue;
    times.ends[i] = std::max(times.ends[i], ready + network_.neighbour_seconds(others, bytes));
  }
}

std::vector<Traffic::Message> Traffic::messages_of(const Mixing& mixing, double bytes,
                                                   const Times& times) {
  std::vector<Message> messages;
  for (int i = 0; i < static_cast<int>(mixing.rows.size()); ++i) {
    for (const Mixing::Term& term : mixing.rows[i]) {
      if (term.worker == i) continue;
      const Link& way = network_.from_to(term.worker, i);
      const auto repeats = static_cast<double>(repeats_.of_next(term.worker, 1));
      const double again = 2 * way.latency + bytes / way.bandwidth;
      messages.push_back(
          {std::max(times.begins[term.worker], links_free_[i]), repeats * again, term.worker, i});
    }
  }
  return messages;
}

// Each worker takes its messages over its own link.
void Traffic::mix_apart(const std::vector<Message>& messages, double bytes, Times& times) const {
  std::vector<double> ready(times.ends.size()), receiving(times.ends.size());
  for (const Message& message : messages) {
    const Link& way = network_.from_to(message.from, message.to);
    double& latest = ready[message.to];
    latest = std::max(latest, message.ready + message.late + way.latency);
    receiving[message.to] += bytes / way.bandwidth;
  }
  for (std::size_t i = 0; i < ready.size(); ++i) {
    times.ends[i] = std::max(times.ends[i], ready[i] + receiving[i]);
  }
}

// A repeat holds a shared medium, with its time-out; what an uplink carries was lost before it.
void Traffic::pass_medium(std::vector<Message> messages, double bytes, Times& times) {
  const bool shared = network_.medium.kind == Medium::Kind::shared;
  for (Message& message : messages) {
    if (!shared) message.ready += message.late;
  }
  std::sort(messages.begin(), messages.end(), [](const Message& a, const Message& b) {
    return std::tie(a.ready, a.to, a.from) < std::tie(b.ready, b.to, b.from);
  });
  for (const Message& message : messages) {
    const Link& way = network_.from_to(message.from, message.to);
    const double seconds = shared ? way.latency + bytes / way.bandwidth + message.late
                                  : bytes / network_.medium.capacity;
    double& end = times.ends[message.to];
    end = std::max(end, medium_.take(message.ready, seconds));
  }
}

}  // namespace entrain
