#include "entrain/report/run_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <regex>
#include <set>
#include <stdexcept>

#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

namespace fs = std::filesystem;

class RunFolders : public testing::Test {
 protected:
  TestFolder test_folder_;
  const fs::path root_ = test_folder_.path();
};

// Root may write everywhere, so a test of what may not be written must run as somebody else.
class NotRoot {
 public:
  NotRoot() {
    if (was_ == 0 && seteuid(65534) != 0) throw std::runtime_error("cannot stop being root");
  }
  ~NotRoot() {
    if (seteuid(was_) != 0) std::abort();
  }

 private:
  const uid_t was_ = geteuid();
};

TEST_F(RunFolders, CreateMakesItWithItsParents) {
  const fs::path path = root_ / "a/b/run";
  const RunFolder folder = RunFolder::create(path);
  EXPECT_EQ(folder.path(), path);
  EXPECT_EQ(names_in(path), std::set<std::string>{"metrics.jsonl"});
  EXPECT_EQ(read_whole(path / "metrics.jsonl"), "");
}

TEST_F(RunFolders, CreateTakesAnEmptyOne) {
  fs::create_directory(root_ / "run");
  EXPECT_EQ(RunFolder::create(root_ / "run").path(), root_ / "run");
}

TEST_F(RunFolders, CreateNeverOverwrites) {
  const fs::path path = root_ / "run";
  const std::string message =
      "the run folder '" + path.string() +
      "' is not empty, and a run is never overwritten; give another with --out DIR";
  for (const char* name : {"metrics.jsonl", ".hidden"}) {
    fs::remove_all(path);
    fs::create_directory(path);
    write_whole(path / name, "mine");
    EXPECT_EQ(refusal_of<UsageError>([&] { RunFolder::create(path); }), message);
    EXPECT_EQ(names_in(path), std::set<std::string>{name});
    EXPECT_EQ(read_whole(path / name), "mine");
  }
  fs::remove_all(path);
  RunFolder::create(path);
  EXPECT_EQ(refusal_of<UsageError>([&] { RunFolder::create(path); }), message);
}

TEST_F(RunFolders, WhereNoFolderCanBe) {
  write_whole(root_ / "file", "a regular file");
  const std::string below = root_ / "file/run", file = root_ / "file";
  const std::string hint = "': Not a directory; give another with --out DIR";
  EXPECT_EQ(refusal_of<RunError>([&] { RunFolder::create(below); }),
            "cannot make the run folder '" + below + hint);
  EXPECT_EQ(refusal_of<RunError>([&] { RunFolder::create(file); }),
            "cannot make the run folder '" + file + hint);
  EXPECT_EQ(refusal_of<RunError>([&] { RunFolder::create_under(below, "name"); }),
            "cannot make the run folder '" + below + hint);
  EXPECT_EQ(read_whole(file), "a regular file");
}

TEST_F(RunFolders, WhereNobodyMayWrite) {
  const std::string locked = root_ / "locked";
  fs::create_directory(locked);
  fs::permissions(root_, fs::perms(0755));
  fs::permissions(locked, fs::perms(0555));
  const NotRoot not_root;
  EXPECT_EQ(refusal_of<RunError>([&] { RunFolder::create(locked); }),
            "cannot write '" + locked + "/metrics.jsonl': Permission denied");
  EXPECT_EQ(refusal_of<RunError>([&] { RunFolder::create(locked + "/run"); }),
            "cannot make the run folder '" + locked +
                "/run': Permission denied; give another with --out DIR");
}

// An id has 65,536 values, so that some of these are drawn twice within a second.
TEST_F(RunFolders, CreateUnderNeverCollides) {
  const fs::path parent = root_ / "new/runs";
  const std::regex form(R"(\d{4}-\d\d-\d\d-\d{6}-my run-[0-9a-f]{4})");
  std::set<std::string> made;
  for (int i = 0; i < 1000; ++i) {
    const RunFolder folder = RunFolder::create_under(parent, "my run");
    EXPECT_EQ(folder.path().parent_path(), parent);
    const std::string name = folder.path().filename();
    ASSERT_TRUE(std::regex_match(name, form)) << name;
    EXPECT_TRUE(made.insert(name).second) << name << " twice";
  }
  EXPECT_EQ(names_in(parent), made);
}

TEST_F(RunFolders, RecordsAreLinesAtOnce) {
  RunFolder folder = RunFolder::create(root_ / "run");
  const StepRecord step = {.step = 1, .train_loss = 2.5};
  const RoundRecord round = {.step = 2, .round = "everyone"};
  const EvaluationRecord evaluation = {.step = 3, .model = "average"};
  const EventRecord event = {.step = 4, .event = "two\nlines"};
  std::string expected;
  const auto expect_line = [&](const auto& record) {
    folder.record(record);
    expected += to_json_line(record) + "\n";
    EXPECT_EQ(read_whole(root_ / "run/metrics.jsonl"), expected);
  };
  expect_line(step);
  expect_line(round);
  expect_line(evaluation);
  expect_line(event);
}

TEST_F(RunFolders, WritesFilesWhole) {
  const RunFolder folder = RunFolder::create(root_ / "run");
  folder.write("summary.json", "{}\n");
  folder.write("summary.json", "{\"steps\": 1}\n");
  EXPECT_EQ(read_whole(root_ / "run/summary.json"), "{\"steps\": 1}\n");
  EXPECT_EQ(names_in(root_ / "run"), (std::set<std::string>{"metrics.jsonl", "summary.json"}));
  const std::string missing = root_ / "run/logs/rank-0.log";
  EXPECT_EQ(refusal_of<RunError>([&] { folder.write("logs/rank-0.log", "x"); }),
            "cannot write '" + missing + "': No such file or directory");
}

}  // namespace
}  // namespace entrain
