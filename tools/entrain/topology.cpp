#include <ATen/ATen.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include <nlohmann/json.hpp>

#include "entrain/core/errors.h"
#include "entrain/core/files.h"
#include "entrain/strategy/spectrum.h"
#include "entrain/topology_svg.h"
#include "entrain/verb.h"

namespace entrain {
namespace {

struct TopologyArguments {
  std::string text;
  int workers = 8;
  std::int64_t period = 16;
  std::string svg;
};

void list_topologies(CommandLine& line) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Choice<Topology>& choice : topology_choices()) {
    if (line.json) {
      all.push_back({{"name", choice.name}, {"meaning", choice.meaning}});
    } else {
      fmt::print("{:<24}{}\n", choice.name, choice.meaning);
    }
  }
  if (line.json) fmt::print("{}\n", all.dump(2));
}

// What is said of one topology: of each of its matrices, and of their product over a period.
struct Figures {
  std::vector<at::Tensor> matrices;
  at::Tensor product;
  double beta = 0;  // of the product, as the part that is left by one round on average
  std::vector<double> betas;
  std::size_t degree = 0;  // most others that a worker takes from in a round
  double messages = 0;
};

Figures figures_of(const Topology& topology, int n) {
  Figures figures;
  if (!topology.mixings) {
    figures.matrices = {at::full({n, n}, 1.0 / n, at::kDouble)};
    figures.degree = n - 1;
    figures.messages = messages_of(topology, {}, n, 0);
  }
  const Mixings mixings = mixings_of(topology, n);
  for (const auto& mixing : mixings) {
    figures.matrices.push_back(matrix_of(*mixing));
    for (int i = 0; i < n; ++i) {
      const auto& row = mixing->rows[i];
      const bool self = std::any_of(row.begin(), row.end(),
                                    [i](const Mixing::Term& term) { return term.worker == i; });
      figures.degree = std::max(figures.degree, row.size() - self);
    }
    figures.messages += mixing->messages / static_cast<double>(mixings.size());
  }
  figures.product = at::eye(n, at::kDouble);
  for (const at::Tensor& matrix : figures.matrices) {
    figures.betas.push_back(beta_of(matrix));
    figures.product = at::mm(matrix, figures.product);
  }
  figures.beta =
      std::pow(beta_of(figures.product), 1.0 / static_cast<double>(figures.matrices.size()));
  return figures;
}

nlohmann::ordered_json matrix_json(const at::Tensor& matrix) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::int64_t i = 0; i < matrix.size(0); ++i) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (std::int64_t j = 0; j < matrix.size(1); ++j) row.push_back(matrix[i][j].item<double>());
    rows.push_back(row);
  }
  return rows;
}

void print_matrix(const at::Tensor& matrix) {
  for (std::int64_t i = 0; i < matrix.size(0); ++i) {
    for (std::int64_t j = 0; j < matrix.size(1); ++j) {
      const double weight = matrix[i][j].item<double>();
      fmt::print("{}", weight == 0 ? "      ." : fmt::format(" {:6.4f}", weight));
    }
    fmt::print("\n");
  }
}

void show_topology(CommandLine& line, const TopologyArguments& arguments) {
  constexpr int widest = 32;  // workers whose matrix is printed
  const Topology topology = build_topology(parse_value(arguments.text), {});
  const int n = arguments.workers;
  const Figures figures = figures_of(topology, n);
  if (!arguments.svg.empty()) write_whole(arguments.svg, topology_svg(topology, n));
  const double c = c_beta(figures.beta, arguments.period),
               d = d_beta(figures.beta, arguments.period);
  if (line.json) {
    nlohmann::ordered_json matrices = nlohmann::ordered_json::array();
    for (const at::Tensor& matrix : figures.matrices) matrices.push_back(matrix_json(matrix));
    const nlohmann::ordered_json json = {{"topology", print(topology.text)},
                                         {"workers", n},
                                         {"beta", figures.beta},
                                         {"gap", 1 - figures.beta},
                                         {"betas", figures.betas},
                                         {"degree", figures.degree},
                                         {"messages_per_worker", figures.messages},
                                         {"h", arguments.period},
                                         {"c_beta", c},
                                         {"d_beta", d},
                                         {"matrices", matrices}};
    fmt::print("{}\n", json.dump(2));
    return;
  }
  for (std::size_t turn = 0; turn < figures.matrices.size() && n <= widest; ++turn) {
    if (figures.matrices.size() > 1) fmt::print("turn {}:\n", turn + 1);
    print_matrix(figures.matrices[turn]);
  }
  fmt::print(
      "{} of {} workers\n"
      "beta      {:.6f}{}\n"
      "gap       {:.6f}\n"
      "degree    {}; {:.4g} messages a worker and round\n"
      "C_beta    {:.6g}   with a global average every {} steps\n"
      "D_beta    {:.6g}\n",
      print(topology.text), n, figures.beta,
      figures.matrices.size() == 1 ? ""
                                   : fmt::format("   a round on average: {:.6f} after {} rounds",
                                                 beta_of(figures.product), figures.matrices.size()),
      1 - figures.beta, figures.degree, figures.messages, c, arguments.period, d);
  if (!arguments.svg.empty()) fmt::print("drawn in {}\n", arguments.svg);
}

}  // namespace

void add_topology(CommandLine& line) {
  CLI::App* topology =
      line.app.add_subcommand("topology", "With whom workers can average, and how well that mixes");
  topology->require_subcommand(1);
  CLI::App* all = topology->add_subcommand("list", "Every topology");
  all->add_flag("--json", line.json, "Print as JSON");
  all->callback([&line] { list_topologies(line); });
  CLI::App* one = topology->add_subcommand("show", "Weights, beta and its gap, degree, a drawing");
  auto arguments = std::make_shared<TopologyArguments>();
  one->add_option("topology", arguments->text, "A text such as ring, 'groups(4)', 'geometric(0.4)'")
      ->required();
  one->add_option("-n,--workers", arguments->workers, "Workers n")
      ->capture_default_str()
      ->check(CLI::Range(1, 2048));
  one->add_option("--period", arguments->period, "Steps h between global averages, for C and D")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000'000));
  one->add_option("--svg", arguments->svg, "File to draw it into");
  one->add_flag("--json", line.json, "Print as JSON");
  one->callback([&line, arguments] { show_topology(line, *arguments); });
}

}  // namespace entrain
