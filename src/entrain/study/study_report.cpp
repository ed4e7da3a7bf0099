#include "entrain/study/study_report.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "entrain/core/version.h"
#include "entrain/report/table.h"

namespace entrain {
namespace {

using Json = nlohmann::ordered_json;

bool has_diverged(const RunFigures& run) { return run.diverged; }

Estimate mean_estimate(const std::vector<RunFigures>& runs, const std::string& metric) {
  return jackknife(
      [&](const std::vector<int>& seeds) {
        std::vector<Interval> values;
        for (const int seed : seeds) {
          values.push_back(exactly(runs[static_cast<std::size_t>(seed)].value(metric)));
        }
        return mean_of(values);
      },
      static_cast<int>(runs.size()));
}

std::string cell_of(const std::vector<RunFigures>& runs, const std::string& metric) {
  const auto diverged = std::count_if(runs.begin(), runs.end(), has_diverged);
  if (diverged > 0) return fmt::format("{} of {} diverged", diverged, runs.size());
  const Estimate mean = mean_estimate(runs, metric);
  if (!mean.value.is_number()) return "-";
  return fmt::format("{:.4g} +- {:.2g}", mean.value.low, mean.spread);
}

std::string tuned_cell(const StudyResult& result, const std::string& variant) {
  const auto found = result.tuned.find(variant);
  if (found == result.tuned.end()) return "-";
  return found->second.value + (found->second.doubt.empty() ? "" : " (edge)");
}

std::string side(const Interval& value, const TimesRead& times) {
  if (times.cut_off == 0) return print(value);
  return fmt::format("{} ({} of {} censored)", print(value), times.cut_off, times.all);
}

std::string range_of(const Interval& range) {
  const auto end = [](double number, const char* none) {
    return std::isfinite(number) ? fmt::format("{:.4g}", number) : std::string(none);
  };
  return fmt::format("[{}, {}]", end(range.low, "-inf"), end(range.high, "inf"));
}

std::string relation_of(const Finding& finding) {
  const Relation& relation = finding.claim->relation;
  const std::string left = side(finding.left, finding.left_times);
  if (relation.kind == Relation::Kind::within) {
    return fmt::format("{} in [{:.4g}, {:.4g}]", left, relation.low, relation.high);
  }
  return fmt::format("{} {} {}; difference {}", left, symbol(relation.kind),
                     side(finding.right, finding.right_times), print(finding.difference.value));
}

std::string print_finding(const Finding& finding) {
  const Claim& claim = *finding.claim;
  std::string text = fmt::format("{:<13} {}\n", print(finding.verdict), claim.text);
  text += fmt::format("              {}; 95 % interval {}, {}\n", relation_of(finding),
                      range_of(finding.difference.interval), print_count(finding.seeds, "seed"));
  if (!finding.why.empty()) text += fmt::format("              {}\n", finding.why);
  if (!finding.as_expected()) {
    text += fmt::format(
        "              NOT AS DECLARED: expected that it {}\n",
        claim.expected == Verdict::inconclusive ? "is inconclusive" : print(claim.expected));
  }
  if (claim.expected != Verdict::holds) {
    text += fmt::format("              declared: {}, {}\n", print(claim.expected), claim.reason);
  }
  return text;
}

Json finite_or_null(double number) { return std::isfinite(number) ? Json(number) : Json(nullptr); }

// The known end of a value that is bounded on one side only.
Json value_of(const Interval& value) {
  return finite_or_null(std::isfinite(value.low) ? value.low : value.high);
}

std::string bound_of(const Interval& value) {
  if (value.exact()) return "exact";
  if (std::isfinite(value.low)) return std::isfinite(value.high) ? "between" : "at least";
  return std::isfinite(value.high) ? "at most" : "unknown";
}

Json json_of(const Study& study, const Finding& finding) {
  const Claim& claim = *finding.claim;
  const Estimate& difference = finding.difference;
  return {{"study", study.name},
          {"claim", claim.text},
          {"result", print(finding.verdict)},
          {"expected", print(claim.expected)},
          {"value", value_of(difference.value)},
          {"spread", finite_or_null(difference.spread)},
          {"seeds", finding.seeds},
          {"reason", claim.reason},
          {"why", finding.why},
          {"holds", claim.holds},
          {"bound", bound_of(difference.value)},
          {"left", value_of(finding.left)},
          {"right", value_of(finding.right)},
          {"interval",
           {finite_or_null(difference.interval.low), finite_or_null(difference.interval.high)}}};
}

Json tuning_json(const Tuning& tuning, const Tuned& tuned) {
  Json grid = Json::array();
  for (std::size_t i = 0; i < tuned.means.size(); ++i) {
    grid.push_back({{"value", tuning.grid[i]}, {tuning.metric, finite_or_null(tuned.means[i])}});
  }
  return {{"name", tuning.name},   {"value", tuned.value},    {"metric", tuning.metric},
          {"seeds", tuning.seeds}, {"grid", std::move(grid)}, {"doubt", tuned.doubt}};
}

Json metrics_json(const std::vector<RunFigures>& runs) {
  std::set<std::string> names;
  for (const RunFigures& run : runs) {
    for (std::string& name : metrics_of(run)) names.insert(std::move(name));
  }
  Json metrics = Json::object();
  for (const std::string& name : names) {
    Json values = Json::array();
    for (const RunFigures& run : runs) values.push_back(finite_or_null(run.value(name)));
    metrics[name] = std::move(values);
  }
  return metrics;
}

}  // namespace

std::string print_results(const Study& study, const StudyResult& result) {
  std::vector<std::string> head = {"variant"};
  if (study.tuning) head.push_back(study.tuning->name);
  head.insert(head.end(), study.show.begin(), study.show.end());
  std::vector<std::vector<std::string>> rows;
  for (const Variant& variant : study.variants) {
    const auto found = result.results.find(variant.name);
    if (found == result.results.end()) continue;
    std::vector<std::string> row = {variant.name};
    if (study.tuning) row.push_back(tuned_cell(result, variant.name));
    for (const std::string& metric : study.show) row.push_back(cell_of(found->second, metric));
    rows.push_back(std::move(row));
  }
  return print_table(head, rows);
}

std::string print_findings(const StudyResult& result) {
  std::string text;
  for (const Finding& finding : result.findings) text += print_finding(finding);
  for (const Claim* claim : result.not_judged) {
    text += fmt::format("{:<13} {}\n              --only left out what it reads\n", "not judged",
                        claim->text);
  }
  const auto otherwise = std::count_if(result.findings.begin(), result.findings.end(),
                                       [](const Finding& f) { return !f.as_expected(); });
  return text + fmt::format("{}, {} not as declared\n",
                            print_count(static_cast<std::int64_t>(result.findings.size()), "claim"),
                            otherwise);
}

std::string claims_json(const Study& study, const StudyResult& result) {
  Json list = Json::array();
  for (const Finding& finding : result.findings) list.push_back(json_of(study, finding));
  return list.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string results_json(const Study& study, const StudyResult& result) {
  Json variants = Json::array();
  for (const Variant& variant : study.variants) {
    const auto found = result.results.find(variant.name);
    if (found == result.results.end()) continue;
    const auto& runs = found->second;
    Json json = {{"variant", variant.name},
                 {"seeds", runs.size()},
                 {"diverged", std::count_if(runs.begin(), runs.end(), has_diverged)}};
    const auto tuned = result.tuned.find(variant.name);
    if (tuned != result.tuned.end()) json["tuned"] = tuning_json(*study.tuning, tuned->second);
    json["metrics"] = metrics_json(runs);
    variants.push_back(std::move(json));
  }
  const Json whole = {{"study", study.name}, {"title", study.title}, {"variants", variants}};
  return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string note_on_revisions(const StudyResult& result) {
  std::set<std::string> revisions = {kRevision};
  for (const auto& [variant, runs] : result.results) {
    for (const RunFigures& run : runs) {
      if (!run.revision.empty()) revisions.insert(run.revision);
    }
  }
  if (revisions.size() < 2) return "";
  return fmt::format(
      "these runs, some of them done before, and this program are of {} commits of entrain ({}); a "
      "fresh --out runs all anew\n",
      revisions.size(), fmt::join(revisions, ", "));
}

}  // namespace entrain
