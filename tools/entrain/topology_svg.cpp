#include "entrain/topology_svg.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>
#include <set>

namespace entrain {
namespace {

constexpr double kSize = 480, kMargin = 30;  // of the picture, in its units

using Places = std::vector<std::array<double, 2>>;  // in a unit square

Places on_a_circle(int n) {
  Places places(n);
  for (int i = 0; i < n; ++i) {
    const double angle = 2 * std::numbers::pi * i / n;
    places[i] = {0.5 + 0.5 * std::sin(angle), 0.5 - 0.5 * std::cos(angle)};
  }
  return places;
}

Places in_rows(int n) {
  const int width = n / grid_height(n);
  Places places(n);
  for (int i = 0; i < n; ++i) places[i] = {(i % width + 0.5) / width, (i / width + 0.5) / width};
  return places;
}

Places places_of(const Topology& topology, int n) {
  const std::string& name = topology.text.name;
  if (name == "grid") return in_rows(n);
  if (name != "geometric") return on_a_circle(n);
  return geometric_places(n, static_cast<std::int64_t>(topology.text.arguments[1].value.number));
}

std::set<std::pair<int, int>> links_of(const Mixing& mixing) {
  std::set<std::pair<int, int>> links;
  for (int i = 0; i < static_cast<int>(mixing.rows.size()); ++i) {
    for (const Mixing::Term& term : mixing.rows[i]) {
      if (term.worker != i) links.insert(std::minmax(i, term.worker));
    }
  }
  return links;
}

}  // namespace

std::string topology_svg(const Topology& topology, int n) {
  static const std::array<const char*, 5> colours = {"#3465a4", "#cc6600", "#4e9a06", "#75507b",
                                                     "#a40000"};
  const Mixings mixings = topology.mixings ? topology.mixings(n) : fully_connected().mixings(n);
  const Places places = places_of(topology, n);
  const auto x = [&](int i) { return kMargin + places[i][0] * (kSize - 2 * kMargin); };
  const auto y = [&](int i) { return kMargin + places[i][1] * (kSize - 2 * kMargin); };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {0}\" width=\"{0}\" "
      "height=\"{0}\" font-family=\"sans-serif\" font-size=\"11\">\n"
      "<title>{1}, {2} workers</title>\n",
      kSize, topology.text.name, n);
  for (std::size_t turn = 0; turn < mixings.size(); ++turn) {
    for (const auto& [i, j] : links_of(*mixings[turn])) {
      svg += fmt::format(
          "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"/>\n", x(i),
          y(i), x(j), y(j), colours[turn % colours.size()]);
    }
  }
  const double radius = n <= 40 ? 10 : 4;
  for (int i = 0; i < n; ++i) {
    svg += fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"#eeeeec\" stroke=\"#2e3436\"/>\n",
        x(i), y(i), radius);
    if (n > 40) continue;
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x(i),
                       y(i) + 4, i);
  }
  return svg + "</svg>\n";
}

}  // namespace entrain
