#include "entrain/strategy/slice.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

std::string layer_of(const std::string& tensor) { return tensor.substr(0, tensor.rfind('.')); }

// The columns of each layer, in order; a layer ends where the next begins.
std::vector<Span> layers_of(const Layout& layout) {
  std::vector<Span> layers;
  std::string name;
  for (const Layout::Entry& entry : layout.entries) {
    const bool has_dot = entry.name.find('.') != std::string::npos;
    const std::string own = has_dot ? layer_of(entry.name) : entry.name;
    if (layers.empty() || own != name) layers.push_back({entry.offset, 0});
    name = own;
  }
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const std::int64_t end = i + 1 < layers.size() ? layers[i + 1].begin : layout.columns;
    layers[i].count = end - layers[i].begin;
  }
  return layers;
}

}  // namespace

Slice fragment(std::int64_t index, std::int64_t of, bool strided) {
  const Value text = call("fragment", {{"index", number(static_cast<double>(index))},
                                       {"of", number(static_cast<double>(of))},
                                       {"pattern", call(strided ? "strided" : "sequential")}});
  if (of < 1 || index < 0 || index >= of) {
    throw UsageError(fmt::format("{}: index must be from 0 to below of", print(text)));
  }
  return {text, index, of, strided};
}

std::vector<Span> columns_of(const Slice& slice, const Layout& layout) {
  if (slice.whole()) return {{0, layout.columns}};
  const std::vector<Span> layers = layers_of(layout);
  const auto count = static_cast<std::int64_t>(layers.size());
  if (count < slice.of) {
    throw UsageError(
        fmt::format("{}: the model has only {} layers that can be sent apart; take no more "
                    "fragments than that",
                    print(slice.text), count));
  }
  std::vector<Span> columns;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t owner = slice.strided ? i % slice.of : i * slice.of / count;
    if (owner != slice.index) continue;
    const bool continues =
        !columns.empty() && columns.back().begin + columns.back().count == layers[i].begin;
    if (continues) {
      columns.back().count += layers[i].count;
    } else {
      columns.push_back(layers[i]);
    }
  }
  return columns;
}

const std::vector<Choice<Slice>>& slice_choices() {
  static const std::vector<Choice<Slice>> choices = {
      {"all", {}, "the whole model", [](const Arguments&) { return Slice{}; }},
      {"fragment",
       {{"index"}, {"of"}, {"pattern", "strided"}},
       "one of several parts of whole layers: every of-th (strided), or neighbours (sequential)",
       [](const Arguments& a) {
         const std::string pattern = print(a.value("pattern"));
         if (pattern != "strided" && pattern != "sequential") {
           throw UsageError(
               fmt::format("{}: pattern must be strided or sequential", print(a.canonical())));
         }
         return fragment(a.integer("index"), a.integer("of"), pattern == "strided");
       }},
  };
  return choices;
}

}  // namespace entrain
