#include "entrain/strategy/strategy_markdown.h"

#include <fmt/format.h>

#include "entrain/strategy/catalogue.h"

namespace entrain {
namespace {

template <class T>
std::string axis(const char* title, const char* question, const std::vector<Choice<T>>& choices) {
  std::string text =
      fmt::format("## `{}`: {}\n\n| value | meaning |\n| --- | --- |\n", title, question);
  for (const Choice<T>& choice : choices) {
    text += fmt::format("| `{}` | {} |\n", signature(choice), choice.meaning);
  }
  return text + "\n";
}

}  // namespace

std::string strategy_markdown() {
  std::string text =
      "# Strategies\n\n"
      "Written by `entrain docs strategies`. A strategy is a method by its name, as in "
      "`local_sgd(8)`, or "
      "rounds joined by ` + `,\n"
      "as in `parameters(whom=ring) + parameters(when=every(8))`; `entrain strategy show` spells a "
      "name "
      "out and says what it costs.\n"
      "Arguments go by position or by name. Steps may be epochs, as in `5ep`. `run`: taken from "
      "the run.\n\n"
      "## Methods\n\n";
  for (const Preset& preset : catalogue()) {
    text += fmt::format("### `{}`\n\n{} ({}).\n\n```\n{}\n```\n\n", signature(preset.choice),
                        preset.choice.meaning, preset.paper, preset.equations);
  }
  text += axis("when", "at which steps?", schedule_choices());
  text += axis("whom", "averaged with whom?", topology_choices());
  text += axis("codec", "in which form?", codec_choices());
  text += axis("outer", "how does the anchor a move? D is a - average", outer_choices());
  text += axis("merge", "how does a worker meet the anchor?", merge_choices());
  text += axis("delay", "how long is a message in flight?", delay_choices());
  text += axis("slice", "which part of the model?", slice_choices());
  text += axis("state", "what becomes of the optimizer's buffers?", state_choices());
  text.pop_back();
  return text;
}

}  // namespace entrain
