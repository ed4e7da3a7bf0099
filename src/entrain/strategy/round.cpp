#include "entrain/strategy/round.h"

namespace entrain {
namespace {

template <class T>
Choice<T> plain(const char* name, const char* meaning) {
  return {name, {}, meaning, [name](const Arguments&) { return T{call(name)}; }};
}

}  // namespace

const std::vector<Choice<Topology>>& topology_choices() {
  static const std::vector<Choice<Topology>> choices = {
      plain<Topology>("everyone", "over all workers, each with weight 1/n")};
  return choices;
}

const std::vector<Choice<Codec>>& codec_choices() {
  static const std::vector<Choice<Codec>> choices = {plain<Codec>("exact", "as it is")};
  return choices;
}

const std::vector<Choice<Slice>>& slice_choices() {
  static const std::vector<Choice<Slice>> choices = {plain<Slice>("all", "the whole model")};
  return choices;
}

const std::vector<Choice<StatePolicy>>& state_choices() {
  static const std::vector<Choice<StatePolicy>> choices = {
      plain<StatePolicy>("local", "each worker keeps its optimizer's buffers")};
  return choices;
}

}  // namespace entrain
