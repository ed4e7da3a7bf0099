#include "entrain/config/settings.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "entrain/core/text.h"

namespace entrain {
namespace {

TEST(Settings, KeysAreUniqueAndTableByTable) {
  std::set<std::string> keys;
  std::set<std::string> tables;
  std::string table;
  for (const Setting& setting : settings_table()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    if (table_of(setting.key) != table) {
      table = table_of(setting.key);
      EXPECT_TRUE(tables.insert(table).second) << "[" << table << "] is torn apart";
      EXPECT_NE(table, "") << setting.key << " stands behind a table";
    }
    EXPECT_NE(setting.help, "") << setting.key;
    EXPECT_EQ(setting.help.find('\n'), std::string::npos) << setting.key;
  }
}

TEST(Settings, EveryDefaultIsAllowedButTheOneThatMeansNotGiven) {
  for (const Setting& setting : settings_table()) {
    EXPECT_EQ(objection(setting, {}), setting.key == "workers" ? "must be at least 1" : "")
        << setting.key;
  }
}

TEST(Settings, DefaultsAndTypes) {
  const std::vector<std::array<std::string, 3>> expected{
      {"name", "text", "\"run\""},
      {"seed", "a whole number", "1"},
      {"workers", "a whole number", "0"},
      {"data.name", "text", "\"glyphs\""},
      {"data.root", "text", "\"data\""},
      {"data.partition", "text", "\"iid\""},
      {"model.name", "text", "\"cnn\""},
      {"problem.name", "text", "\"\""},
      {"train.epochs", "a number", "1"},
      {"train.steps", "a whole number", "0"},
      {"train.batch", "a whole number", "64"},
      {"train.optimizer", "text", "\"sgd(lr=0.05, momentum=0.9)\""},
      {"train.lr_schedule", "text", "\"constant\""},
      {"train.dtype", "text", "\"float32\""},
      {"strategy.preset", "text", "\"\""},
      {"comm.transport", "text", "\"auto\""},
      {"comm.sums", "text", "\"fast\""},
      {"comm.links", "text", "\"auto\""},
      {"comm.compression", "text", "\"none\""},
      {"comm.interface", "text", "\"\""},
      {"comm.join_timeout", "text", "\"60 s\""},
      {"comm.patience", "text", "\"60 s\""},
      {"threads.intra", "a whole number", "0"},
      {"threads.workers", "a whole number", "0"},
      {"evaluation.every", "text", "\"auto\""},
      {"evaluation.window", "a whole number", "1"},
      {"evaluation.model", "text", "\"average\""},
      {"evaluation.batch_norm", "text", "\"auto\""},
      {"network.preset", "text", "\"none\""},
      {"network.bandwidth", "text", "\"\""},
      {"network.latency", "text", "\"0.1 ms\""},
      {"network.links", "text", "\"[]\""},
      {"network.medium", "text", "\"switched\""},
      {"network.loss", "text", "\"none\""},
      {"network.collective", "text", "\"ring\""},
      {"network.compute", "text", "\"measured\""},
      {"network.straggler", "text", "\"none\""},
      {"report.every", "a whole number", "10"},
      {"report.rounds", "text", "\"all\""},
      {"report.trace", "text", "\"auto\""},
  };
  ASSERT_EQ(settings_table().size(), expected.size());
  for (const auto& [key, type, value] : expected) {
    const Setting* setting = find_setting(key);
    ASSERT_TRUE(setting) << key;
    EXPECT_EQ(type_of(*setting), type) << key;
    EXPECT_EQ(value_text(*setting, {}), value) << key;
  }
}

TEST(Settings, TextsAmongTheDefaultsParse) {
  for (const char* key : {"data.partition", "train.optimizer", "train.lr_schedule",
                          "comm.join_timeout", "evaluation.every"}) {
    Settings values;
    const std::string text = *std::get<std::string*>(find_setting(key)->field(values));
    EXPECT_EQ(print(parse_value(text)), text) << key;
  }
}

TEST(Settings, FindAndTable) {
  EXPECT_EQ(find_setting("train.bacth"), nullptr);
  EXPECT_EQ(find_setting("train"), nullptr);
  EXPECT_EQ(table_of("train.batch"), "train");
  EXPECT_EQ(table_of("seed"), "");
}

TEST(Settings, RoundsHaveARequiredKind) {
  ASSERT_EQ(round_keys().front().key, "of");
  EXPECT_EQ(objection(round_keys().front().check, "deltas"), "");
  EXPECT_EQ(objection(round_keys().front().check, "gradient"),
            "must be gradients or parameters or deltas; did you mean 'gradients'?");
}

}  // namespace
}  // namespace entrain
