#pragma once

#include <array>
#include <functional>
#include <memory>

#include "entrain/comm/mixing.h"
#include "entrain/core/text.h"

namespace entrain {

/// The weights of a topology for n workers. A round uses them in turn, one each time it is due.
using Mixings = std::vector<std::shared_ptr<const Mixing>>;

/// With whom a round averages.
struct Topology {
  enum class Kind { neighbours, groups, everyone };  // from narrow to wide
  Value text = call("everyone");
  Kind kind = Kind::everyone;
  /// The weights for n workers; none for everyone. Throws UsageError if n does not fit.
  std::function<Mixings(int n)> mixings = {};
  bool push_sum = false;  ///< Weights keep only sums; a mass travels with each row.
};

/// everyone, groups or neighbours.
const char* name_of(Topology::Kind kind);

/// The weights of a topology for n workers; none for everyone. Throws UsageError if n does not fit.
Mixings mixings_of(const Topology& topology, int n);

/// Over all workers, each with weight 1/n.
Topology everyone();
/// Over groups of m consecutive workers. n must be divisible by m.
Topology groups(std::int64_t m);
/// 1/3 oneself and 1/3 each side (Gossip-PGA, section 5.3, as the others here).
Topology ring();
/// 1/2 oneself and 1/2 the worker before.
Topology directed_ring();
/// A rectangle without wrap, as near to a square as n has factors, with Metropolis-Hastings
/// weights.
Topology grid();
int grid_height(int n);  ///< The lesser side of that rectangle.
/// Worker 0 in the middle: 1/n on each of its links.
Topology star();
/// Worker i takes from i - 1, i - 2, i - 4, ... with equal weights.
Topology static_exponential();
/// The k-th time worker i takes 1/2 from i - 2^(k mod d), d = ceil(log2 n).
Topology one_peer_exponential();
/// All workers, each with weight 1/n, as messages between neighbours.
Topology fully_connected();
/// Workers at random places of a unit square, linked where nearer than `radius`, with
/// Metropolis-Hastings weights: a wireless field. Throws UsageError for n workers if they are not
/// all linked.
Topology geometric(double radius, std::int64_t seed);
/// The weights in a file: n rows of n numbers, white space between them. Row i is what worker i
/// takes. Throws UsageError that names the row or column if they are not >= 0 with sums of 1.
Topology matrix_from(const std::string& path);

/// Push-sum on another topology, or on a matrix whose columns alone sum to 1 (directed graphs):
/// each worker has a mass, 1 at first, that is mixed as its row is, and its model is row / mass
/// (Stochastic Gradient Push, Assran et al. 2019).
Topology push_sum(const Topology& inner);
Topology push_sum_matrix_from(const std::string& path);

/// The places of geometric()'s workers, [n] of x and y.
std::vector<std::array<double, 2>> geometric_places(int n, std::int64_t seed);

const std::vector<Choice<Topology>>& topology_choices();
Topology build_topology(const Value& value, const RunFacts& facts);

/// Messages that a worker sends on average in a round: 2 (n-1)/n for everyone, 2 (m-1)/m for
/// groups, else the number of others that take its row. `turn`: how often the round was due before.
double messages_of(const Topology& topology, const Mixings& mixings, int n, std::int64_t turn);

}  // namespace entrain
