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
  text +=
      "A worker sends, of P numbers in float32 and n workers: exact 8 P (n-1)/n bytes; int8 2 P "
      "(n-1)/n, "
      "int4 and fp4 P (n-1)/n, both ways;\n"
      "bf16 and fp16 6 P (n-1)/n, qsgd 5 P (n-1)/n, as the mean comes back exact; sign P (n-1)/8, "
      "top_k 8 f "
      "P (n-1), random_k 4 f P (n-1): these\n"
      "grow with n, and from about n = 1 / f workers on top_k is dearer than exact. BatchNorm's "
      "statistics, a schedule's loss and averaged optimizer\n"
      "buffers travel exactly.\n\n";
  text += axis("outer", "how does the anchor a move? D is a - average", outer_choices());
  text += axis("merge", "how does a worker meet the anchor?", merge_choices());
  text += axis("delay", "how long is a message in flight?", delay_choices());
  text += axis("slice", "which part of the model?", slice_choices());
  text += axis("state", "what becomes of the optimizer's buffers?", state_choices());
  text.pop_back();
  return text;
}

}  // namespace entrain
