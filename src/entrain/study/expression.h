#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace entrain {

/// A node of an expression over the results of a study, as in `mean(excess, 'ring') / 2`.
struct Expression {
  enum class Kind {
    number,
    word,  // a metric or a variant, with or without quotes; empty: an argument that was left out
    list,
    call  // of a function, or of + - * / ^
  };
  Kind kind = Kind::number;
  double number = 0;
  std::string name = {};               // word, call
  std::vector<Expression> parts = {};  // of a list; of a call, one for each of its parameters

  bool left_out() const { return kind == Kind::word && name.empty(); }
};

/// What a claim says of its results: `left < right`, or `left in [low, high]`.
struct Relation {
  enum class Kind { less, less_or_equal, greater, greater_or_equal, within };
  Kind kind = Kind::less;
  Expression left, right;    // right: of comparisons
  double low = 0, high = 0;  // of `within`
};

/// Parses a relation. Arguments are by position or by name, and bound to the parameters of their
/// function (functions.h). Throws UsageError that quotes `text` and the column of the mistake.
Relation parse_relation(std::string_view text);

/// "<", "in" ...
std::string_view symbol(Relation::Kind kind);

}  // namespace entrain
