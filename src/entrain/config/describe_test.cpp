#include "entrain/config/describe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "entrain/config/toml.h"

namespace entrain {
namespace {

class Describe : public testing::Test {
 protected:
  Resolved read(const std::string& content) const {
    std::ofstream(path_, std::ios::binary) << content;
    return resolve(path_, {}, {});
  }

  void expect_read_back(const Resolved& resolved) const {
    const std::string written = to_toml(resolved);
    const Resolved again = read(written);
    EXPECT_EQ(again.values, resolved.values) << written;
    EXPECT_EQ(to_toml(again), written);
  }

  void TearDown() override { std::filesystem::remove(path_); }

  const std::string path_ =
      fmt::format("{}entrain_{}_{}.toml", testing::TempDir(), ::getpid(),
                  testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Describe, TomlOfTheDefaultsReadsBack) {
  const Resolved resolved = resolve({}, {}, {});
  expect_read_back(resolved);
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(setting.key == "workers" || read(to_toml(resolved)).origins.contains(setting.key))
        << setting.key;
  }
  EXPECT_NE(to_toml(resolved).find("# workers = 0\n"), std::string::npos);
}

TEST_F(Describe, TomlOfOddValuesReadsBack) {
  const std::string odd = "a\"b\\c\n\t\r\x01\x7f|'''\"\"\" \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80";
  for (const double epochs : {0.1, 1e-5, 3e8, 1.0 / 3}) {
    Resolved resolved = resolve({}, {"seed=9223372036854775807", "workers=3"}, {});
    resolved.values.data.root = odd;
    resolved.values.train.epochs = epochs;
    resolved.values.train.steps = 1000000000000;
    expect_read_back(resolved);
  }
}

TEST_F(Describe, TomlOfRoundsReadsBack) {
  Resolved resolved = resolve({}, {}, {});
  resolved.values.strategy.preset = "";
  for (int i = 0; i < 12; ++i) {
    resolved.values.strategy.rounds.push_back({{"of", "deltas"}, {"when", std::to_string(i)}});
  }
  expect_read_back(resolved);
}

TEST_F(Describe, OneAlignedLineForEachSetting) {
  const std::string text = describe(resolve({}, {"train.batch=32"}, {}));
  EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
            settings_table().size());
  EXPECT_NE(text.find("\ntrain.batch = 32 "), std::string::npos);
  EXPECT_NE(text.find(" # command line\n"), std::string::npos);
  const std::size_t column = text.find('#');
  for (std::size_t line = 0; line < text.size(); line = text.find('\n', line) + 1) {
    EXPECT_EQ(text.find('#', line) - line, column);
  }
}

TEST_F(Describe, RoundsHaveALineEach) {
  const std::string text = describe(read("[[strategy.round]]\nwhen = 'every(8)'\nof = 'deltas'"));
  EXPECT_NE(text.find("strategy.round[0] = { of = \"deltas\", when = \"every(8)\" }"),
            std::string::npos);
}

TEST_F(Describe, PageAndHelpNameEverySetting) {
  for (const Setting& setting : settings_table()) {
    EXPECT_NE(settings_markdown().find("| `" + setting.key + "` |"), std::string::npos);
    EXPECT_NE(settings_help().find("  " + setting.key), std::string::npos);
  }
  for (const RoundKey& field : round_keys()) {
    EXPECT_NE(settings_markdown().find("| `" + field.key + "` |"), std::string::npos);
  }
  EXPECT_NE(settings_help().find("  train.batch=64 "), std::string::npos);
  EXPECT_EQ(settings_help().find("workers=0 "), settings_help().find("threads.workers=0 ") + 8);
}

TEST(Toml, Utf8) {
  for (const char* text : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                           "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf", "\x01"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
  }
  for (const char* text :
       {"\xff", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_utf8(text)) << text;
  }
  EXPECT_FALSE(is_utf8(std::string_view("a\0b", 3)));
}

TEST(Toml, Quotes) { EXPECT_EQ(toml_quote("a\"b\\c\n\x7f"), "\"a\\\"b\\\\c\\u000A\\u007F\""); }

}  // namespace
}  // namespace entrain
