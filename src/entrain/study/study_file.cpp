#include "entrain/study/study_file.h"

#include <algorithm>

#include "entrain/study/evaluate.h"
#include "entrain/study/sections.h"
#include "entrain/study/template_text.h"

namespace entrain {
namespace {

using Kind = Given::Kind;

Tuning read_tuning(const Section& section) {
  Tuning tuning;
  tuning.metric = text_of(section.require("metric"));
  tuning.origin = section.require("metric").origin;
  for (const Given& given : section.given) {
    if (given.key == "metric") continue;
    if (given.key == "seeds") {
      tuning.seeds = count_of(given, 1);
    } else if (tuning.name.empty() && !placeholder_in("{" + given.key + "}").empty()) {
      tuning.name = given.key;
      tuning.grid = grid_of(given);
    } else {
      refuse_at(given.origin,
                fmt::format("tune: '{}': one name is tuned, '{}'", given.key, tuning.name));
    }
  }
  if (tuning.name.empty())
    refuse_at(section.origin, "tune: a grid is missing, as in lr = [0.1, 0.3, 1]");
  return tuning;
}

// What a study decides for all its runs alike.
void refuse_settings_of_the_study(const std::vector<Given>& settings) {
  for (const Given& given : settings) {
    if (given.key == "seed" || given.key == "name" || given.key.starts_with("threads")) {
      refuse_at(given.origin, fmt::format("{}: the study sets it for each run", given.key));
    }
  }
}

// A text in which something was replaced may have become a number.
Given with(const Given& given, const Replacements& replacements) {
  Given result = given;
  if (given.kind != Kind::text && given.kind != Kind::raw) return result;
  result.value = replaced(given.value, replacements);
  if (result.value != given.value && !given.key.starts_with("strategy.round")) {
    result.kind = Kind::raw;
  }
  return result;
}

std::vector<Given> with(const std::vector<Given>& settings, const Replacements& replacements) {
  std::vector<Given> result;
  for (const Given& given : settings) result.push_back(with(given, replacements));
  return result;
}

void refuse_placeholder(const std::string& origin, const std::string& text,
                        const std::string& allowed = "") {
  const std::string without = allowed.empty() ? text : replaced(text, {{allowed, ""}});
  const std::string name = placeholder_in(without);
  if (name.empty()) return;
  refuse_at(origin, fmt::format("'{}': nothing replaces {{{}}}; give it in each = {{ {} = [...] }}",
                                excerpt(text), name, name));
}

bool is_of_strategy(const Given& given) { return given.key.starts_with("strategy."); }

bool tune_flag(std::optional<Given> given, bool otherwise) {
  if (!given) return otherwise;
  if (given->kind != Kind::other || (given->value != "true" && given->value != "false")) {
    refuse_type(*given, "true or false");
  }
  if (!otherwise && given->value == "true") {
    refuse_at(given->origin, "tune = true: the study has no [tune] table");
  }
  return given->value == "true";
}

/// Puts together a Study, section by section.
class StudyReader {
 public:
  explicit StudyReader(const std::filesystem::path& file) : sections_(read_sections(file)) {}

  Study operator()() {
    const Section& top = sections_.top;
    study_.name = text_of(top.require("name"));
    check_name(top.require("name"));
    study_.title = top.find("title") ? top.text("title") : study_.name;
    study_.seeds = count_of(top.require("seeds"), 2);
    study_.show = texts_of(top.require("show"));
    study_.show_origin = top.require("show").origin;
    if (!sections_.tune.origin.empty()) study_.tuning = read_tuning(sections_.tune);
    refuse_settings_of_the_study(sections_.base.given);
    for (const Section& section : sections_.variants) read_variants(section);
    if (study_.variants.empty()) refuse_at(top.origin, "a study needs a [[variant]] at least");
    for (const Section& section : sections_.claims) read_claims(section);
    return std::move(study_);
  }

 private:
  static void check_name(const Given& given) {
    const std::string why = objection(find_setting("name")->check, given.value);
    if (!why.empty())
      refuse_at(given.origin, fmt::format("name = '{}': {}", excerpt(given.value), why));
  }

  void read_variants(Section section) {
    const std::vector<Given> each = section.take("each");
    const Given name = section.require("name");
    section.take_one("name");
    const bool tuned = tune_flag(section.take_one("tune"), study_.tuning.has_value());
    refuse_settings_of_the_study(section.given);
    const bool own_strategy =
        std::any_of(section.given.begin(), section.given.end(), is_of_strategy);
    std::vector<Given> base = sections_.base.given;
    if (own_strategy) std::erase_if(base, is_of_strategy);
    for (const Replacements& values : combinations(each)) {
      refuse_tuned_name(each, name);
      Variant variant{
          .name = replaced(text_of(name), values), .origin = name.origin, .tuned = tuned};
      variant.base = with(base, values);
      variant.own = with(section.given, values);
      check_placeholders(variant);
      add(std::move(variant));
    }
  }

  void refuse_tuned_name(const std::vector<Given>& each, const Given& name) const {
    for (const Given& given : each) {
      if (study_.tuning && given.key == study_.tuning->name) {
        refuse_at(name.origin, fmt::format("each: {} is tuned; give it another name", given.key));
      }
    }
  }

  void check_placeholders(const Variant& variant) const {
    refuse_placeholder(variant.origin, variant.name);
    bool tuned_somewhere = false;
    const std::string tuned = variant.tuned ? study_.tuning->name : "";
    for (const auto* settings : {&variant.base, &variant.own}) {
      for (const Given& given : *settings) {
        if (settings == &variant.base && overridden(variant, given.key)) continue;
        refuse_placeholder(given.origin, given.value, tuned);
        tuned_somewhere |= !placeholder_in(given.value).empty();
      }
    }
    if (variant.tuned && !tuned_somewhere) {
      refuse_at(
          variant.origin,
          fmt::format("variant '{}': no setting has {{{}}}, which [tune] tunes; if it needs none, "
                      "write tune = false",
                      variant.name, tuned));
    }
  }

  static bool overridden(const Variant& variant, const std::string& key) {
    return std::any_of(variant.own.begin(), variant.own.end(),
                       [&](const Given& own) { return own.key == key; });
  }

  void add(Variant variant) {
    if (const Variant* first = study_.find(variant.name)) {
      refuse_at(variant.origin, fmt::format("variant '{}' is given twice, first at {}",
                                            variant.name, first->origin));
    }
    study_.variants.push_back(std::move(variant));
  }

  void read_claims(Section section) {
    const std::vector<Given> each = section.take("each");
    static const std::vector<std::string> known = {"text", "each", "holds", "expect", "reason"};
    for (const Given& given : section.given) check_known(given, known);
    for (const Replacements& values : combinations(each)) add(read_claim(section, values));
  }

  Claim read_claim(const Section& section, const Replacements& values) const {
    const Given& text = section.require("text");
    const Given& holds = section.require("holds");
    Claim claim{.text = replaced(text_of(text), values), .origin = text.origin};
    claim.holds = replaced(text_of(holds), values);
    claim.reason = replaced(section.text("reason"), values);
    refuse_placeholder(claim.origin, claim.text);
    refuse_placeholder(holds.origin, claim.holds);
    claim.expected = expectation(section);
    try {
      claim.relation = parse_relation(claim.holds);
    } catch (const UsageError& error) {
      refuse_at(holds.origin, fmt::format("claim '{}': {}", claim.text, error.what()));
    }
    check_variants(claim, holds);
    return claim;
  }

  static Verdict expectation(const Section& section) {
    const Given* expect = section.find("expect");
    if (!expect || text_of(*expect) == "holds") return Verdict::holds;
    if (expect->value != "fails" && expect->value != "inconclusive") {
      refuse_type(*expect, "holds, fails or inconclusive");
    }
    if (!section.find("reason")) {
      refuse_at(expect->origin,
                fmt::format("expect = \"{}\" needs its reason = \"...\"", expect->value));
    }
    return expect->value == "fails" ? Verdict::fails : Verdict::inconclusive;
  }

  void check_variants(const Claim& claim, const Given& holds) const {
    std::vector<std::string> known;
    for (const Variant& variant : study_.variants) known.push_back(variant.name);
    const std::vector<MetricRead> reads = reads_of(claim.relation);
    if (reads.empty())
      refuse_at(holds.origin, fmt::format("claim '{}' reads no result", claim.text));
    for (const MetricRead& read : reads) {
      if (study_.find(read.variant)) continue;
      refuse_at(holds.origin, fmt::format("claim '{}': unknown variant '{}'{}", claim.text,
                                          excerpt(read.variant), suggestion(read.variant, known)));
    }
  }

  void add(Claim claim) {
    for (const Claim& first : study_.claims) {
      if (first.text != claim.text) continue;
      refuse_at(claim.origin,
                fmt::format("claim '{}' is given twice, first at {}", claim.text, first.origin));
    }
    study_.claims.push_back(std::move(claim));
  }

  Sections sections_;
  Study study_;
};

}  // namespace

std::string print(Verdict verdict) {
  return verdict == Verdict::holds ? "holds" : verdict == Verdict::fails ? "fails" : "inconclusive";
}

const Variant* Study::find(std::string_view variant) const {
  const auto found = std::find_if(variants.begin(), variants.end(),
                                  [&](const Variant& one) { return one.name == variant; });
  return found == variants.end() ? nullptr : &*found;
}

Study read_study(const std::filesystem::path& file) { return StudyReader(file)(); }

std::vector<Given> read_study_environment(const std::map<std::string, std::string>& environment) {
  std::vector<Given> given = read_environment(environment);
  for (const Given& one : given) {
    if (one.key == "data.root") continue;
    refuse_at(one.origin, fmt::format("a study has its settings from its file alone; unset it, or "
                                      "write {} there",
                                      one.key));
  }
  return given;
}

Resolved settings_of(const Study& study, const Variant& variant, std::uint64_t seed,
                     const std::string& tuned, const std::vector<Given>& environment) {
  Replacements values;
  if (variant.tuned) values[study.tuning->name] = tuned;
  const auto given = [](const std::vector<std::string>& texts) {
    std::vector<Given> layer = read_overrides(texts);
    for (Given& one : layer) one.origin = "study";
    return layer;
  };
  return resolve({given({"report.rounds=none", "report.trace=none"}), with(variant.base, values),
                  with(variant.own, values), environment,
                  given({"name=" + study.name, fmt::format("seed={}", seed), "threads.workers=1",
                         "threads.intra=1"})});
}

}  // namespace entrain
