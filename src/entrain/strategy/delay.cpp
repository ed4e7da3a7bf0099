#include "entrain/strategy/delay.h"

#include "entrain/core/errors.h"

namespace entrain {

Delay steps(std::int64_t k) {
  if (k < 0) throw UsageError(fmt::format("steps({}): a delay must be >= 0", k));
  return {call("steps", {{"", number(static_cast<double>(k))}}), k};
}

Delay period(bool first_anchor) {
  Value text = call("period");
  if (first_anchor) text.arguments.push_back({"first", call("anchor")});
  return {text, kNever, first_anchor};
}

const std::vector<Choice<Delay>>& delay_choices() {
  static const std::vector<Choice<Delay>> choices = {
      {"steps",
       {{"k"}},
       "lands k steps after the launch; 0 blocks",
       [](const Arguments& a) { return steps(a.integer("k")); }},
      {"period",
       {{"first", "nothing"}},
       "lands when the round is next due; first = anchor: at first meets the common start",
       [](const Arguments& a) {
         const std::string first = print(a.value("first"));
         if (first != "anchor" && first != "nothing") {
           throw UsageError(fmt::format("period(first={}): must be anchor or nothing", first));
         }
         return period(first == "anchor");
       }},
  };
  return choices;
}

}  // namespace entrain
