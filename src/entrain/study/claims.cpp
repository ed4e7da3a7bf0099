#include "entrain/study/claims.h"

#include <algorithm>
#include <cmath>

namespace entrain {
namespace {

template <class Action>
auto at_claim(const Claim& claim, Action action) {
  try {
    return action();
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("{}: claim '{}': {}", claim.origin, claim.text, error.what()));
  }
}

std::vector<int> all_seeds(int count) {
  std::vector<int> seeds;
  for (int i = 0; i < count; ++i) seeds.push_back(i);
  return seeds;
}

Verdict verdict_of(bool holds, bool fails) {
  return holds ? Verdict::holds : fails ? Verdict::fails : Verdict::inconclusive;
}

Verdict verdict_of(const Relation& relation, const Interval& range) {
  const auto [low, high] = range;
  switch (relation.kind) {
    case Relation::Kind::less:
      return verdict_of(high < 0, low >= 0);
    case Relation::Kind::less_or_equal:
      return verdict_of(high <= 0, low > 0);
    case Relation::Kind::greater:
      return verdict_of(low > 0, high <= 0);
    case Relation::Kind::greater_or_equal:
      return verdict_of(low >= 0, high < 0);
    case Relation::Kind::within:
      return verdict_of(relation.low <= low && high <= relation.high,
                        high < relation.low || relation.high < low);
  }
  return Verdict::inconclusive;
}

// What makes a claim inconclusive whatever its numbers say.
std::string doubt_of(const Claim& claim, const Results& results, const TunedVariants& tuned) {
  for (const MetricRead& read : reads_of(claim.relation)) {
    const auto found = tuned.find(read.variant);
    if (found != tuned.end() && !found->second.doubt.empty()) return found->second.doubt;
    const auto& runs = results.at(read.variant);
    const auto diverged =
        std::count_if(runs.begin(), runs.end(), [](const RunFigures& run) { return run.diverged; });
    if (diverged > 0) {
      return fmt::format("{} of {} runs of '{}' diverged", diverged, runs.size(), read.variant);
    }
  }
  return "";
}

// An exact infinity (1 / 0) is greater than all, and says nothing.
bool is_usable(const Interval& value) { return !value.exact() || std::isfinite(value.low); }

std::string why_inconclusive(const Finding& finding) {
  const Interval& value = finding.difference.value;
  const int cut_off = finding.left_times.cut_off + finding.right_times.cut_off;
  if (!value.is_number()) return "the value is not a number";
  if (!is_usable(value)) return "the value is not finite";
  if (cut_off > 0 && !value.exact()) {
    return fmt::format("{} of {} times are censored by the end of the run", cut_off,
                       finding.left_times.all + finding.right_times.all);
  }
  if (!value.exact()) return "the value is not known";
  return finding.claim->relation.kind == Relation::Kind::within
             ? "the 95 % interval is partly inside of the range"
             : "the 95 % interval of the difference has 0 in it";
}

}  // namespace

Finding judge(const Claim& claim, const Results& results, const TunedVariants& tuned) {
  const Relation& relation = claim.relation;
  const bool comparison = relation.kind != Relation::Kind::within;
  Finding finding{.claim = &claim};
  at_claim(claim, [&] {
    finding.seeds = static_cast<int>(results.at(reads_of(relation).front().variant).size());
    const std::vector<int> seeds = all_seeds(finding.seeds);
    finding.left = evaluate(relation.left, results, seeds, &finding.left_times);
    finding.right = evaluate(relation.right, results, seeds, &finding.right_times);
    finding.difference = jackknife(
        [&](const std::vector<int>& some) {
          const Interval left = evaluate(relation.left, results, some);
          return comparison ? left - evaluate(relation.right, results, some) : left;
        },
        finding.seeds);
  });
  finding.why = doubt_of(claim, results, tuned);
  if (!finding.why.empty()) return finding;
  if (is_usable(finding.difference.value)) {
    finding.verdict = verdict_of(relation, finding.difference.interval);
  }
  if (finding.verdict == Verdict::inconclusive) finding.why = why_inconclusive(finding);
  return finding;
}

void check_metrics(const Study& study, const std::string& variant, const RunFigures& run) {
  for (const Claim& claim : study.claims) {
    at_claim(claim, [&] {
      for (const MetricRead& read : reads_of(claim.relation)) {
        if (read.variant == variant) require_metric(read, run);
      }
    });
  }
  if (study.tuning && study.find(variant)->tuned) {
    try {
      require_metric({study.tuning->metric, variant}, run);
    } catch (const UsageError& error) {
      throw UsageError(fmt::format("{}: tune: {}", study.tuning->origin, error.what()));
    }
  }
}

bool can_judge(const Claim& claim, const Results& results) {
  const std::vector<MetricRead> reads = reads_of(claim.relation);
  return std::all_of(reads.begin(), reads.end(),
                     [&](const MetricRead& read) { return results.contains(read.variant); });
}

}  // namespace entrain
