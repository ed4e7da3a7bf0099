// What a user can write of a strategy, fuzzed by run.sh: whatever the bytes, they are either read
// or refused with UsageError, and a strategy prints so that it is read back.
//
// The first byte of an input chooses the reader: 'p' a text as a command line gives it, 'w' the
// same for a run of 4 workers whose length is known, 't' a TOML file.
//
//   strategy_text            under afl-fuzz
//   strategy_text FILE...    reads the inputs in files, such as that of a crash
//   strategy_text --words    prints the words of the grammar as a dictionary of AFL++

#include "entrain/strategy/strategy_text.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "entrain/config/resolve.h"
#include "entrain/core/errors.h"
#include "entrain/strategy/catalogue.h"

__AFL_FUZZ_INIT();

namespace entrain {
namespace {

[[noreturn]] void broken(const std::string& what, const std::string& text) {
  fmt::print(stderr, "{}: {}\n", what, text);
  std::abort();
}

void must_read_back(const Strategy& strategy, const RunFacts& facts) {
  const std::string text = print(strategy), rounds = print_rounds(strategy);
  try {
    const Strategy again = parse_strategy(text, facts);
    if (print(again) != text || print_rounds(again) != rounds)
      broken("reads back as another", text);
    if (print_rounds(parse_strategy(rounds, facts)) != rounds)
      broken("reads back as another", rounds);
  } catch (const UsageError& error) {
    broken("does not read back", fmt::format("{}\n{}\n{}", text, rounds, error.what()));
  }
}

/// A file of memory alone, as read_toml() wants a path.
class MemoryFile {
 public:
  void write(const std::string& content) {
    const bool written =
        ftruncate(file_, 0) == 0 &&
        pwrite(file_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size());
    if (!written) broken("cannot be written", path());
  }
  std::string path() const { return fmt::format("/proc/self/fd/{}", file_); }

 private:
  int file_ = memfd_create("fuzz", 0);
};

void read_toml_strategy(const std::string& content, const RunFacts& facts) {
  static MemoryFile file;
  file.write(content);
  const Settings::Strategy spec = resolve(file.path(), {}, {}).values.strategy;
  must_read_back(spec.rounds.empty() ? parse_strategy(spec.preset, facts)
                                     : strategy_from_rounds(spec.rounds, facts),
                 facts);
}

void check(const std::string& input) {
  if (input.empty()) return;
  const std::string text = input.substr(1);
  const RunFacts known = {
      .workers = 4, .steps = 1000, .steps_per_epoch = 50, .batch = 32, .first_decay = 500};
  try {
    switch (input[0]) {
      case 'p':
        return must_read_back(parse_strategy(text), {});
      case 'w':
        return must_read_back(parse_strategy(text, known), known);
      case 't':
        return read_toml_strategy(text, known);
      default:
        return;
    }
  } catch (const UsageError&) {
  }
}

template <class T>
void add_words(std::set<std::string>& words, const Choice<T>& choice) {
  words.insert(choice.name);
  for (const Parameter& parameter : choice.parameters) words.insert(parameter.name + "=");
}

template <class T>
void add_words(std::set<std::string>& words, const std::vector<Choice<T>>& choices) {
  for (const Choice<T>& choice : choices) add_words(words, choice);
}

void print_words() {
  std::set<std::string> words = {"gradients", "parameters", "deltas",   "run",
                                 "none",      "auto",       "anchor",   "true",
                                 "false",     "linear",     "constant", "first_decay"};
  for (const Preset& preset : catalogue()) add_words(words, preset.choice);
  add_words(words, schedule_choices());
  add_words(words, topology_choices());
  add_words(words, codec_choices());
  add_words(words, outer_choices());
  add_words(words, merge_choices());
  add_words(words, delay_choices());
  add_words(words, slice_choices());
  add_words(words, state_choices());
  for (const RoundKey& key : round_keys()) words.insert(key.key + "=");
  for (const Setting& setting : settings_table()) words.insert(setting.key);
  words.insert({"[[strategy.round]]", "[strategy]", "preset="});
  for (const std::string& word : words) fmt::print("\"{}\"\n", word);
}

}  // namespace
}  // namespace entrain

int main(int count, char** arguments) {
  if (count == 2 && std::string(arguments[1]) == "--words") {
    entrain::print_words();
    return 0;
  }
  for (int i = 1; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    entrain::check({std::istreambuf_iterator<char>(file), {}});
  }
  if (count > 1) return 0;
  __AFL_INIT();
  const unsigned char* input = __AFL_FUZZ_TESTCASE_BUF;
  while (__AFL_LOOP(10000)) {
    const auto size = static_cast<std::size_t>(__AFL_FUZZ_TESTCASE_LEN);
    entrain::check({input, input + size});
  }
}
