#include "entrain/strategy/facts.h"

#include "entrain/core/errors.h"
#include "entrain/strategy/parameters_hash.h"
#include "entrain/strategy/strategy_text.h"

namespace entrain {
namespace {

std::string print_weights(const std::vector<Mixings>& rounds) {
  std::string text;
  for (const Mixings& mixings : rounds) {
    for (const auto& mixing : mixings) {
      for (const auto& row : mixing->rows) {
        for (const Mixing::Term& term : row)
          text += fmt::format("{}:{:a} ", term.worker, term.weight);
        text += '\n';
      }
    }
  }
  return text;
}

}  // namespace

Facts facts_of(const Strategy& strategy, const Rows& rows, const std::vector<Mixings>& mixings) {
  const Layout& layout = rows.layout();
  const std::uint64_t start = row_hash(rows, 0);
  for (std::int64_t i = 1; i < rows.workers(); ++i) {
    if (row_hash(rows, i) != start) {
      throw UsageError(fmt::format("worker rows 0 and {} start from different parameters", i));
    }
  }
  return {{"strategy", print(strategy)},
          {"rounds", print_rounds(strategy)},
          {"type of the parameters", c10::toString(layout.type)},
          {"number of parameters", std::to_string(layout.items)},
          {"names and shapes of the parameters", layout_hash(layout)},
          {"weights of the topologies", text_hash(print_weights(mixings))},
          {"workers per process", std::to_string(rows.workers())},
          {"initial parameters", fmt::format("{:016x}", start)}};
}

}  // namespace entrain
