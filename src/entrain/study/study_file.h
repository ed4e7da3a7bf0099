#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entrain/config/given.h"
#include "entrain/config/resolve.h"
#include "entrain/study/expression.h"

namespace entrain {

/// How a result compares with what its claim says.
enum class Verdict { holds, fails, inconclusive };

/// "holds", "fails", "inconclusive".
std::string print(Verdict verdict);

/// A choice that each variant makes for itself, on seeds that are not reported.
struct Tuning {
  std::string name;               ///< "lr" replaces {lr} in the texts of settings.
  std::vector<std::string> grid;  ///< Numbers, growing, at least three.
  std::string metric;             ///< Made small.
  std::string origin;             ///< Of the metric.
  int seeds = 3;
};

/// The first seed that is tuned on; the reported ones are 1, 2, ...
inline constexpr std::uint64_t first_tuning_seed = 1000001;

/// One way to train: settings over those of [base].
struct Variant {
  std::string name, origin;
  bool tuned = false;
  std::vector<Given> base = {}, own = {};  ///< Of both the tuned name alone is not replaced yet.
};

/// What a study says of its results.
struct Claim {
  std::string text, origin;
  std::string holds = {};  ///< The text of `relation`.
  Relation relation = {};
  Verdict expected = Verdict::holds;
  std::string reason = {};  ///< Why it is expected not to hold.
};

/// A study file (docs/studies.md): variants x seeds, and claims about what comes out.
struct Study {
  std::string name, title;
  int seeds = 0;
  std::vector<std::string> show;  ///< Metrics, the columns of the table of results.
  std::string show_origin;
  std::optional<Tuning> tuning;
  std::vector<Variant> variants;
  std::vector<Claim> claims;

  const Variant* find(std::string_view variant) const;
};

/// Throws UsageError with file and line for whatever cannot be meant: unknown keys, a name that is
/// given twice, a claim on an unknown variant, a {name} that nothing replaces.
Study read_study(const std::filesystem::path& file);

/// What a study takes from the environment: where the data lie. Throws UsageError if other settings
/// are there, which would make its variants other ones than the file says.
std::vector<Given> read_study_environment(const std::map<std::string, std::string>& environment);

/// The settings of one run: those of the variant, with the tuned name replaced by `tuned`, one
/// thread, and what read_study_environment() gave.
Resolved settings_of(const Study& study, const Variant& variant, std::uint64_t seed,
                     const std::string& tuned, const std::vector<Given>& environment);

}  // namespace entrain
