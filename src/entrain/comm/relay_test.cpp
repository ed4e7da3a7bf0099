#include "entrain/comm/relay.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "entrain/comm/spawn.h"
#include "entrain/core/files.h"
#include "entrain/core/test_folder.h"

namespace entrain {
namespace {

// A relay between a pipe and a file.
class RelayTest : public testing::Test {
 protected:
  ~RelayTest() override { std::fclose(file_); }

  void say(const std::string& text) {
    ASSERT_EQ(write(pipe_.write_end, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    relay_.pump();
  }
  void end() {
    close(pipe_.write_end);
    while (relay_.descriptor() >= 0) relay_.pump();
  }
  std::string passed() const { return read_whole(folder_ / "out"); }

  TestFolder folder_;
  Pipe pipe_;
  std::FILE* file_ = std::fopen((folder_ / "out").c_str(), "w");
  Relay relay_{pipe_.read_end, fileno(file_), "[2] "};
};

TEST_F(RelayTest, PassesWholeLinesOn) {
  say("a");
  EXPECT_EQ(passed(), "");
  say("b\nc\n\nd");
  EXPECT_EQ(passed(), "[2] ab\n[2] c\n[2] \n");
  end();
  EXPECT_EQ(passed(), "[2] ab\n[2] c\n[2] \n[2] d\n");
}

TEST_F(RelayTest, EndsAfterAWholeLine) {
  say("a\n");
  end();
  EXPECT_EQ(passed(), "[2] a\n");
}

TEST_F(RelayTest, KeepsTheLastLinesAndGivesAwaySome) {
  relay_.take([](const std::string& line) { return line == "mine"; });
  for (const std::string line : {"1", "2", "mine", "3", "4", "5", "6", "mine"}) say(line + "\n");
  end();
  EXPECT_EQ(passed(), "[2] 1\n[2] 2\n[2] 3\n[2] 4\n[2] 5\n[2] 6\n");
  EXPECT_EQ(relay_.last_lines(), (std::deque<std::string>{"2", "3", "4", "5", "6"}));
}

TEST_F(RelayTest, ALineWithoutEndIsPassedOnInPieces) {
  const std::string block(1 << 14, 'x');
  for (int i = 0; i < 65; ++i) say(block);
  EXPECT_EQ(passed().size(), 65 * block.size() + 5);
  end();
  EXPECT_EQ(passed().size(), 65 * block.size() + 5);
}

}  // namespace
}  // namespace entrain
