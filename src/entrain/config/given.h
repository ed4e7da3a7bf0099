#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace entrain {

/// One thing that a configuration gives: a value, or the head of a table.
struct Given {
  enum class Kind {
    raw,   // as a command line or an environment writes it, of whatever type is wanted
    text,  // of TOML, as are those below
    integer,
    number,
    other,  // an array, a date, true or false
    table
  };
  std::string key;     // "train.batch"; "strategy.round[0].when" inside an array of tables
  std::string origin;  // "examples/mnist.toml:12", "ENTRAIN_DATA__ROOT", "command line"
  Kind kind = Kind::raw;
  std::string value;              // a text without its quotes; else as it is written
  std::vector<Given> items = {};  // of an array, its keys "show[0]", "show[1]", ...
};

/// What the variables give whose names are keys: ENTRAIN_DATA__ROOT is data.root. Others are left
/// alone, unless their name has ENTRAIN_ in front and "__" in it. That is a mistake: UsageError.
std::vector<Given> read_environment(const std::map<std::string, std::string>& environment);

/// The value as a message quotes it.
std::string shown(const Given& given);

/// Throws UsageError: "<origin>: <key> = <value>: must be <wanted>".
[[noreturn]] void refuse_type(const Given& given, std::string_view wanted);

/// What overrides such as "train.steps=200" give. Throws UsageError where '=' is missing.
std::vector<Given> read_overrides(const std::vector<std::string>& overrides);

}  // namespace entrain
