#include "entrain/strategy/topology.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "entrain/comm/metered.h"
#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

using Row = std::map<int, double>;  // worker to weight
using Neighbours = std::vector<std::set<int>>;

std::shared_ptr<const Mixing> mixing_of(const std::vector<Row>& rows) {
  auto mixing = std::make_shared<Mixing>();
  double links = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& terms = mixing->rows.emplace_back();
    for (const auto& [worker, weight] : rows[i]) {
      if (weight == 0) continue;
      terms.push_back({worker, weight});
      links += worker != static_cast<int>(i);
    }
  }
  mixing->messages = links / static_cast<double>(rows.size());
  return mixing;
}

// Worker i takes the weights from the workers i - hop, around the circle.
std::shared_ptr<const Mixing> circulant(int n, const std::vector<std::pair<int, double>>& hops) {
  std::vector<Row> rows(n);
  for (int i = 0; i < n; ++i) {
    for (const auto& [hop, weight] : hops) rows[i][((i - hop) % n + n) % n] += weight;
  }
  return mixing_of(rows);
}

// w_ij = 1 / (1 + max(deg_i, deg_j)) for neighbours, the rest for oneself.
std::shared_ptr<const Mixing> metropolis_hastings(const Neighbours& neighbours) {
  std::vector<Row> rows(neighbours.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double rest = 1;
    for (int j : neighbours[i]) {
      const double weight =
          1.0 / (1 + static_cast<double>(std::max(neighbours[i].size(), neighbours[j].size())));
      rows[i][j] = weight;
      rest -= weight;
    }
    rows[i][static_cast<int>(i)] = rest;
  }
  return mixing_of(rows);
}

Neighbours grid_neighbours(int n) {
  const int height = grid_height(n);
  const int width = n / height;
  Neighbours neighbours(n);
  const auto link = [&](int i, int j) {
    neighbours[i].insert(j);
    neighbours[j].insert(i);
  };
  for (int i = 0; i < n; ++i) {
    if (i % width + 1 < width) link(i, i + 1);
    if (i + width < n) link(i, i + width);
  }
  return neighbours;
}

int exponential_hops(int n) {
  int hops = 0;
  while ((std::int64_t{1} << hops) < n) ++hops;
  return hops;
}

void require_connected(const Neighbours& neighbours, const Value& text) {
  std::vector<int> reached = {0};
  std::set<int> seen = {0};
  for (std::size_t at = 0; at < reached.size(); ++at) {
    for (int j : neighbours[reached[at]]) {
      if (seen.insert(j).second) reached.push_back(j);
    }
  }
  if (reached.size() == neighbours.size()) return;
  throw UsageError(
      fmt::format("{}: with {} workers, worker 0 reaches only {} of them; take a larger radius or "
                  "another seed",
                  print(text), neighbours.size(), reached.size()));
}

std::vector<std::vector<double>> read_matrix(const std::string& path) {
  std::error_code error;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, error)) file.open(path);
  if (!file.is_open()) {
    throw UsageError(fmt::format("matrix(\"{}\"): cannot be read ({})", path,
                                 std::filesystem::absolute(path).string()));
  }
  std::vector<std::vector<double>> rows;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::vector<double> row;
    for (std::string word; words >> word;) {
      std::size_t end = 0;
      double value = std::nan("");
      try {
        value = std::stod(word, &end);
      } catch (const std::exception&) {
        end = 0;
      }
      if (end != word.size() || !(value >= 0 && value <= 1 + 1e-9)) {
        throw UsageError(fmt::format("{}: row {}: '{}' is not a weight from 0 to 1", path,
                                     rows.size(), excerpt(word)));
      }
      row.push_back(value);
    }
    if (!row.empty()) rows.push_back(std::move(row));
  }
  return rows;
}

// Sums of 1 in rows keep the scale; sums of 1 in columns keep the mean.
void check_matrix(const std::vector<std::vector<double>>& rows, const std::string& path,
                  bool push_sum) {
  constexpr double tolerance = 1e-6;
  if (rows.empty()) throw UsageError(fmt::format("{}: no numbers", path));
  std::vector<double> columns(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != rows.size()) {
      throw UsageError(fmt::format("{}: row {} has {} numbers, where there are {} rows", path, i,
                                   rows[i].size(), rows.size()));
    }
    const double sum = std::accumulate(rows[i].begin(), rows[i].end(), 0.0);
    if (!push_sum && std::abs(sum - 1) > tolerance) {
      throw UsageError(fmt::format("{}: row {} sums to {}, not 1", path, i, sum));
    }
    for (std::size_t j = 0; j < rows.size(); ++j) columns[j] += rows[i][j];
  }
  for (std::size_t j = 0; j < columns.size(); ++j) {
    if (std::abs(columns[j] - 1) <= tolerance) continue;
    throw UsageError(fmt::format("{}: column {} sums to {}, not 1: the workers' mean would drift",
                                 path, j, columns[j]));
  }
}

Mixings mixings_in(const std::vector<std::vector<double>>& weights, const std::string& path,
                   int n) {
  if (weights.size() != static_cast<std::size_t>(n)) {
    throw UsageError(
        fmt::format("{}: {} rows, where there are {} workers", path, weights.size(), n));
  }
  std::vector<Row> rows(n);
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) rows[i][j] = weights[i][j];
  }
  return {mixing_of(rows)};
}

Topology neighbours(Value text, std::function<Mixings(int)> mixings) {
  return {std::move(text), Topology::Kind::neighbours, std::move(mixings)};
}

}  // namespace

const char* name_of(Topology::Kind kind) {
  return kind == Topology::Kind::everyone ? "everyone"
         : kind == Topology::Kind::groups ? "groups"
                                          : "neighbours";
}

Mixings mixings_of(const Topology& topology, int n) {
  return topology.mixings ? topology.mixings(n) : Mixings();
}

int grid_height(int n) {
  int height = static_cast<int>(std::sqrt(n));
  while (n % height != 0) --height;
  return height;
}

Topology everyone() { return {}; }

Topology groups(std::int64_t m) {
  const Value text = call("groups", {{"", number(static_cast<double>(m))}});
  if (m < 1) throw UsageError(fmt::format("{}: a group has at least 1 worker", print(text)));
  const auto mixings = [m, text](int n) {
    if (n % m != 0) {
      throw UsageError(
          fmt::format("{}: {} workers cannot be divided into such groups", print(text), n));
    }
    auto mixing = std::make_shared<Mixing>();
    for (int i = 0; i < n; ++i) {
      const int first = static_cast<int>(i / m * m);
      auto& terms = mixing->rows.emplace_back();
      for (int j = first; j < first + m; ++j) terms.push_back({j, 1.0 / static_cast<double>(m)});
    }
    mixing->group = static_cast<int>(m);
    mixing->messages = everyone_bytes(static_cast<int>(m), 1);
    return Mixings{mixing};
  };
  return {text, Topology::Kind::groups, mixings};
}

Topology ring() {
  return neighbours(call("ring"), [](int n) {
    if (n <= 2) return Mixings{circulant(n, {{0, 0.5}, {1, 0.5}})};
    return Mixings{circulant(n, {{0, 1.0 / 3}, {1, 1.0 / 3}, {-1, 1.0 / 3}})};
  });
}

Topology directed_ring() {
  return neighbours(call("directed_ring"), [](int n) {
    return Mixings{circulant(n, {{0, 0.5}, {1, 0.5}})};
  });
}

Topology grid() {
  return neighbours(call("grid"),
                    [](int n) { return Mixings{metropolis_hastings(grid_neighbours(n))}; });
}

Topology star() {
  return neighbours(call("star"), [](int n) {
    std::vector<Row> rows(n);
    rows[0][0] = 1.0 / n;
    for (int i = 1; i < n; ++i) {
      rows[0][i] = rows[i][0] = 1.0 / n;
      rows[i][i] = 1 - 1.0 / n;
    }
    return Mixings{mixing_of(rows)};
  });
}

Topology static_exponential() {
  return neighbours(call("static_exponential"), [](int n) {
    const double weight = 1.0 / (exponential_hops(n) + 1);
    std::vector<std::pair<int, double>> hops = {{0, weight}};
    for (int hop = 0; hop < exponential_hops(n); ++hop) hops.push_back({1 << hop, weight});
    return Mixings{circulant(n, hops)};
  });
}

Topology one_peer_exponential() {
  return neighbours(call("one_peer_exponential"), [](int n) {
    Mixings turns;
    for (int hop = 0; hop < std::max(1, exponential_hops(n)); ++hop) {
      turns.push_back(circulant(n, {{0, 0.5}, {1 << hop, 0.5}}));
    }
    return turns;
  });
}

Topology fully_connected() {
  return neighbours(call("fully_connected"), [](int n) {
    std::vector<std::pair<int, double>> hops;
    for (int hop = 0; hop < n; ++hop) hops.push_back({hop, 1.0 / n});
    return Mixings{circulant(n, hops)};
  });
}

std::vector<std::array<double, 2>> geometric_places(int n, std::int64_t seed) {
  Stream random(static_cast<std::uint64_t>(seed), Purpose::topology);
  std::vector<std::array<double, 2>> places(n);
  for (auto& [x, y] : places) {
    x = random.uniform();
    y = random.uniform();
  }
  return places;
}

Topology geometric(double radius, std::int64_t seed) {
  const Value text =
      call("geometric", {{"radius", number(radius)}, {"seed", number(static_cast<double>(seed))}});
  if (!(radius > 0) || seed < 0) {
    throw UsageError(fmt::format("{}: radius must be above 0, seed >= 0", print(text)));
  }
  return neighbours(text, [radius, seed, text](int n) {
    const auto places = geometric_places(n, seed);
    Neighbours near(n);
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < n; ++j) {
        const double distance =
            std::hypot(places[i][0] - places[j][0], places[i][1] - places[j][1]);
        if (i != j && distance <= radius) near[i].insert(j);
      }
    }
    require_connected(near, text);
    return Mixings{metropolis_hastings(near)};
  });
}

Topology matrix_from(const std::string& path) {
  const auto weights = read_matrix(path);
  check_matrix(weights, path, false);
  return neighbours(call("matrix", {{"", {Value::Kind::text, path, 0, {}}}}),
                    [weights, path](int n) { return mixings_in(weights, path, n); });
}

Topology push_sum(const Topology& inner) {
  const Value text = call("push_sum", {{"", inner.text}});
  if (inner.kind != Topology::Kind::neighbours || inner.push_sum) {
    throw UsageError(
        fmt::format("{}: push-sum is for neighbours, such as one_peer_exponential or "
                    "matrix(\"file\")",
                    print(text)));
  }
  return {text, inner.kind, inner.mixings, true};
}

Topology push_sum_matrix_from(const std::string& path) {
  const auto weights = read_matrix(path);
  check_matrix(weights, path, true);
  return push_sum(neighbours(call("matrix", {{"", {Value::Kind::text, path, 0, {}}}}),
                             [weights, path](int n) { return mixings_in(weights, path, n); }));
}

const std::vector<Choice<Topology>>& topology_choices() {
  static const std::vector<Choice<Topology>> choices = {
      {"everyone",
       {},
       "over all workers, each with weight 1/n",
       [](const Arguments&) { return everyone(); }},
      {"groups",
       {{"m"}},
       "over groups of m consecutive workers",
       [](const Arguments& a) { return groups(a.integer("m")); }},
      {"ring",
       {},
       "1/3 oneself, 1/3 each neighbour on a circle",
       [](const Arguments&) { return ring(); }},
      {"directed_ring",
       {},
       "1/2 oneself, 1/2 the worker before",
       [](const Arguments&) { return directed_ring(); }},
      {"grid",
       {},
       "a rectangle, Metropolis-Hastings weights",
       [](const Arguments&) { return grid(); }},
      {"star", {}, "worker 0 in the middle", [](const Arguments&) { return star(); }},
      {"static_exponential",
       {},
       "from the workers 1, 2, 4, ... before, equal weights",
       [](const Arguments&) { return static_exponential(); }},
      {"one_peer_exponential",
       {},
       "1/2 from one worker, 1, 2, 4, ... before in turn",
       [](const Arguments&) { return one_peer_exponential(); }},
      {"fully_connected",
       {},
       "all workers, as messages between neighbours",
       [](const Arguments&) { return fully_connected(); }},
      {"geometric",
       {{"radius"}, {"seed", "1"}},
       "random places of a unit square, linked within a radius, Metropolis-Hastings weights",
       [](const Arguments& a) { return geometric(a.real("radius"), a.integer("seed")); }},
      {"matrix",
       {{"file"}},
       "the weights in a file, as in matrix(\"weights.txt\"): n rows of n numbers; found from the "
       "working directory",
       [](const Arguments& a) { return matrix_from(a.text("file")); }},
      {"push_sum",
       {{"topology"}},
       "push-sum on directed neighbours; a matrix needs columns that sum to 1, and no more",
       [](const Arguments& a) {
         const Value& inner = a.value("topology");
         if (inner.kind != Value::Kind::call || inner.name != "matrix") {
           return push_sum(build_topology(inner, a.facts()));
         }
         static const std::vector<Parameter> file = {{"file"}};
         return push_sum_matrix_from(Arguments(inner, file, a.facts()).text("file"));
       }},
  };
  return choices;
}

Topology build_topology(const Value& value, const RunFacts& facts) {
  return build(topology_choices(), value, "topology", facts);
}

double messages_of(const Topology& topology, const Mixings& mixings, int n, std::int64_t turn) {
  if (topology.kind == Topology::Kind::everyone) return everyone_bytes(n, 1);
  return mixings[turn % static_cast<std::int64_t>(mixings.size())]->messages;
}

}  // namespace entrain
