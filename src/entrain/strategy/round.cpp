#include "entrain/strategy/round.h"

#include "entrain/core/errors.h"

namespace entrain {
namespace {

template <class T>
Choice<T> plain(const char* name, const char* meaning) {
  return {name, {}, meaning, [name](const Arguments&) { return T{call(name)}; }};
}

Delay steps(std::int64_t k) {
  if (k < 0) throw UsageError(fmt::format("steps({}): a delay must be >= 0", k));
  return {call("steps", {{"", number(static_cast<double>(k))}}), k};
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

const std::vector<Choice<Outer>>& outer_choices() {
  static const std::vector<Choice<Outer>> choices = {
      plain<Outer>("mean", "the anchor becomes the average")};
  return choices;
}

const std::vector<Choice<Merge>>& merge_choices() {
  static const std::vector<Choice<Merge>> choices = {
      plain<Merge>("adopt", "the worker becomes the anchor")};
  return choices;
}

const std::vector<Choice<Delay>>& delay_choices() {
  static const std::vector<Choice<Delay>> choices = {
      {"steps", {{"k"}}, "lands k steps after the launch; 0 blocks", [](const Arguments& a) {
         return steps(a.integer("k"));
       }}};
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
