#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace entrain {

/// One `[[strategy.round]]` table: the text of each of its fields (see round_keys()).
using RoundText = std::map<std::string, std::string>;

/// Everything that a run can be told. Texts such as `optimizer` are values of the grammar in
/// core/text.h; whoever builds from them checks them.
struct Settings {
  struct Data {
    std::string name = "glyphs";    // glyphs, mnist, ...
    std::string root = "data";      // a data set is looked for in <root>/<name>
    std::string partition = "iid";  // how the samples are dealt to the workers

    bool operator==(const Data&) const = default;
  };

  struct Model {
    std::string name = "cnn";

    bool operator==(const Model&) const = default;
  };

  struct Problem {
    std::string name;  // empty: a model on a data set

    bool operator==(const Problem&) const = default;
  };

  struct Train {
    double epochs = 1;        // of each worker over its own share of the data
    std::int64_t steps = 0;   // 0: epochs counts; else steps wins
    std::int64_t batch = 64;  // samples per worker and step
    std::string optimizer = "sgd(lr=0.05, momentum=0.9)";
    std::string lr_schedule = "constant";
    std::string dtype = "float32";  // float32 or float64

    bool operator==(const Train&) const = default;
  };

  struct Strategy {
    std::string preset;             // empty: rounds count
    std::vector<RoundText> rounds;  // empty: preset counts

    bool operator==(const Strategy&) const = default;
  };

  struct Comm {
    std::string transport = "auto";     // gloo (auto too), or mpi under mpirun
    std::string sums = "fast";          // fast, or reproducible whatever the layout
    std::string links = "auto";         // auto: measured at the start; short, long
    std::string compression = "none";   // or lossless
    std::string interface;              // name or address; empty: by the route to the others
    std::string join_timeout = "60 s";  // to the first contact of all processes
    std::string patience = "60 s";      // without a sign of life of a process

    bool operator==(const Comm&) const = default;
  };

  struct Threads {
    int intra = 0;    // inside one tensor operation; 0: chosen from the cores
    int workers = 0;  // workers of a process that step at a time; 0: chosen from the cores

    bool operator==(const Threads&) const = default;
  };

  struct Evaluation {
    std::string every = "auto";     // steps or epochs between evaluations
    std::int64_t window = 1;        // steps that a problem's figures are averaged over
    std::string model = "average";  // which model is evaluated
    std::string batch_norm =
        "auto";  // its statistics: averaged, recalibrated, or as the strategy wants

    bool operator==(const Evaluation&) const = default;
  };

  struct Network {
    std::string preset = "none";      // fills in what is not given
    std::string bandwidth;            // of a worker's link, as in "1 Gbit/s"; empty: real time
    std::string latency = "0.1 ms";   // one way
    std::string links = "[]";         // those that differ
    std::string medium = "switched";  // what they share
    std::string loss = "none";
    std::string collective = "ring";
    std::string compute = "measured";  // time of a worker's step
    std::string straggler = "none";

    bool operator==(const Network&) const = default;
  };

  struct Report {
    std::int64_t every = 10;     // steps between step lines of metrics.jsonl
    std::string rounds = "all";  // which rounds have a line there
    std::string trace = "auto";  // whether trace.json is written

    bool operator==(const Report&) const = default;
  };

  std::string name = "run";  // part of the name of the run's folder
  std::uint64_t seed = 1;    // of everything random
  int workers = 0;           // 0: as many as there are processes
  Data data;
  Model model;
  Problem problem;
  Train train;
  Strategy strategy;
  Comm comm;
  Threads threads;
  Evaluation evaluation;
  Network network;
  Report report;

  bool operator==(const Settings&) const = default;
};

/// Where a setting lives; the type is the setting's type.
using Field = std::variant<std::string*, int*, std::int64_t*, std::uint64_t*, double*>;

/// What a given value must keep to.
struct Check {
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;             // `least` itself is refused
  bool file_name = false;               // letters, digits, '.', '_', '-'
  std::vector<std::string> words = {};  // the only words allowed; empty: any text
};

/// A setting of the one table that the TOML reader, the environment, the command line, the help and
/// the docs are driven by.
struct Setting {
  std::string key;  // "train.batch"
  Field (*field)(Settings&);
  std::string help;  // one line
  Check check = {};
};

/// All settings but the `[[strategy.round]]` tables: those at the top first, then table by table.
const std::vector<Setting>& settings_table();

/// The setting of that key, or null.
const Setting* find_setting(std::string_view key);

/// The table that a key stands in: "train" for "train.batch", "" for "seed".
std::string table_of(std::string_view key);

/// "text", "a whole number" or "a number".
std::string type_of(const Setting& setting);

/// The value of `setting` in `values`, as TOML writes it.
std::string value_text(const Setting& setting, Settings values);

/// What is wrong with the value of `setting` in `values`, as in "must be at least 1"; else empty.
/// (The default of `workers` is refused where it is given: it means that nothing was given.)
std::string objection(const Setting& setting, Settings values);

/// What is wrong with `text` by `check`; else empty.
std::string objection(const Check& check, const std::string& text);

/// A field of a `[[strategy.round]]` table.
struct RoundKey {
  std::string key;
  std::string help;
  Check check = {};
};

/// The fields of a `[[strategy.round]]` table. `of`, the first, is required; the others have
/// defaults.
const std::vector<RoundKey>& round_keys();

/// "local_sgd(8)": what resolve() takes for a strategy where none is given.
inline constexpr std::string_view default_strategy = "local_sgd(8)";

}  // namespace entrain
