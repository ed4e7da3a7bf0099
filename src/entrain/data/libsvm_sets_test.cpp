#include "entrain/data/libsvm_sets.h"

#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

const std::string two_hearts = "+1 1:0.5 13:1\n-1 2:0.25\n";

TEST(PrepareLibsvm, CopiesTheFileAsItIs) {
  const TestFolder from, root;
  write_gz(from / "heart_scale.gz", two_hearts);
  const auto report = prepare_dataset("heart_scale", root.path(), from.path());
  EXPECT_TRUE(report.changed);
  EXPECT_EQ(names_in(root.path()), std::set<std::string>{"libsvm"});
  EXPECT_EQ(names_in(root / "libsvm"), std::set<std::string>{"heart_scale.gz"});
  EXPECT_EQ(file_content(root / "libsvm/heart_scale.gz"), file_content(from / "heart_scale.gz"));
  expect_mentions(report.message, {"heart_scale", "2 samples", "13 features"});
  ASSERT_EQ(report.warnings.size(), 1u);
  expect_mentions(report.warnings[0], {"heart_scale.gz", "2 samples", "has 270 and 13"});
}

TEST(PrepareLibsvm, TakesTheFileItself) {
  const TestFolder from, root;
  write_file(from / "any-name.txt", two_hearts);
  prepare_dataset("heart_scale", root.path(), from / "any-name.txt");
  EXPECT_EQ(file_content(root / "libsvm/heart_scale"), two_hearts);
}

TEST(PrepareLibsvm, NeverOverwrites) {
  const TestFolder from, root;
  write_file(from / "heart_scale", two_hearts);
  prepare_dataset("heart_scale", root.path(), from.path());
  write_gz(from / "same.gz", two_hearts);
  const auto again = prepare_dataset("heart_scale", root.path(), from / "same.gz");
  EXPECT_FALSE(again.changed);
  expect_mentions(again.message, {"already", "nothing to do"});
  write_file(from / "heart_scale", two_hearts + "1 3:1\n");
  expect_mentions(
      message_of<DataError>([&] { prepare_dataset("heart_scale", root.path(), from.path()); }),
      {"libsvm/heart_scale", "other samples", "move it away"});
  EXPECT_EQ(names_in(root / "libsvm"), std::set<std::string>{"heart_scale"});
  EXPECT_EQ(file_content(root / "libsvm/heart_scale"), two_hearts);
}

TEST(PrepareLibsvm, LeavesNothingOfAFileThatIsMissingOrBroken) {
  const TestFolder from, root;
  expect_mentions(message_of<DataError>([&] { prepare_dataset("a9a", root.path(), from.path()); }),
                  {"a9a.gz", from.path().string()});
  write_file(from / "a9a", "<html>404</html>");
  expect_mentions(message_of<DataError>([&] { prepare_dataset("a9a", root.path(), from.path()); }),
                  {"a9a:1:", "not a number"});
  EXPECT_EQ(names_in(root.path()), std::set<std::string>{});
}

TEST(PrepareLibsvm, AMistypedNameIsMetWithTheNearest) {
  expect_mentions(message_of<UsageError>([] { prepare_dataset("mushroms", "data", "nowhere"); }),
                  {"'mushroms'", "did you mean 'mushrooms'?"});
}

TEST(RealPrepareLibsvm, CopiesEverySetWithoutAWarning) {
  ENTRAIN_NEEDS_DATA("libsvm");
  const TestFolder root;
  for (const LibsvmSet& set : libsvm_table()) {
    const auto report = prepare_libsvm(set, root.path(), real_data("libsvm") / "libsvm");
    EXPECT_TRUE(report.changed) << set.name;
    EXPECT_TRUE(report.warnings.empty()) << report.warnings[0];
    EXPECT_FALSE(download_libsvm(set, root.path()).changed) << set.name;  // needs no network
  }
}

}  // namespace
}  // namespace entrain
