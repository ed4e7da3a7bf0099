#include "entrain/core/files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <set>

#include "entrain/core/test_folder.h"
#include "entrain/core/test_refusal.h"

namespace entrain {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  std::set<std::string> names() const { return names_in(folder_); }

  TestFolder test_folder_;
  const fs::path folder_ = test_folder_.path();
};

// While it lives no file grows beyond `bytes`: to the writer the same as a full disk.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit low = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &low);
  }
  ~FileLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_ = {};
};

TEST_F(Files, WriteWholeIsReadBackAsItWas) {
  std::string binary(1 << 20, '\0');
  for (std::size_t i = 0; i < binary.size(); ++i) binary[i] = static_cast<char>(i * i >> 3);
  for (const std::string& content : {std::string("two\nlines\n"), std::string(), binary}) {
    write_whole(folder_ / "file", content);
    EXPECT_TRUE(read_whole(folder_ / "file") == content);
    EXPECT_EQ(names(), std::set<std::string>{"file"});  // and no temporary neighbour is left
  }
}

TEST_F(Files, WriteWholeIntoAMissingFolder) {
  const std::string path = folder_ / "missing/file";
  EXPECT_EQ(refusal_of<RunError>([&] { write_whole(path, "new"); }),
            "cannot write '" + path + "': No such file or directory");
  EXPECT_TRUE(names().empty());
}

TEST_F(Files, WriteWholeOverAFolder) {
  fs::create_directories(folder_ / "full/inner");
  const std::string path = folder_ / "full";
  EXPECT_EQ(refusal_of<RunError>([&] { write_whole(path, "new"); }),
            "cannot write '" + path + "': Is a directory");
  EXPECT_TRUE(fs::exists(folder_ / "full/inner"));
  EXPECT_EQ(names(), std::set<std::string>{"full"});
}

TEST_F(Files, WriteWholeKeepsTheOldFileIfThereIsNoRoom) {
  const std::string path = folder_ / "file";
  write_whole(path, "old");
  std::string message;
  {
    const FileLimit limit(1 << 16);
    message = refusal_of<RunError>([&] { write_whole(path, std::string(1 << 20, 'n')); });
  }
  EXPECT_EQ(message, "cannot write '" + path + "': File too large");
  EXPECT_EQ(read_whole(path), "old");
  EXPECT_EQ(names(), std::set<std::string>{"file"});
  write_whole(path, "new");
  EXPECT_EQ(read_whole(path), "new");
}

// Whoever opened the old file goes on reading it: the new one takes its name, not its place.
TEST_F(Files, WriteWholeDoesNotTouchTheOldContent) {
  write_whole(folder_ / "file", "old");
  fs::create_hard_link(folder_ / "file", folder_ / "other name");
  write_whole(folder_ / "file", "new");
  EXPECT_EQ(read_whole(folder_ / "file"), "new");
  EXPECT_EQ(read_whole(folder_ / "other name"), "old");
}

TEST_F(Files, ReadWholeNamesThePath) {
  const std::string missing = folder_ / "missing";
  EXPECT_EQ(refusal_of<RunError>([&] { read_whole(missing); }),
            "cannot read '" + missing + "': No such file or directory");
  EXPECT_EQ(refusal_of<RunError>([&] { read_whole(folder_); }),
            "cannot read '" + folder_.string() + "': Is a directory");
}

TEST_F(Files, LineFileHandsOverEachLineAtOnce) {
  LineFile file(folder_ / "lines");
  EXPECT_EQ(read_whole(folder_ / "lines"), "");
  const std::string longer_than_a_buffer(100'000, 'x');
  std::string expected;
  for (const std::string& line : {std::string("one"), std::string(), longer_than_a_buffer,
                                  std::string("with a \0 inside", 15)}) {
    file.append(line);
    expected += line + '\n';
    EXPECT_TRUE(read_whole(folder_ / "lines") == expected) << line.substr(0, 20);
  }
}

TEST_F(Files, LineFileGrowsWhatIsThere) {
  write_whole(folder_ / "lines", "old\n");
  LineFile(folder_ / "lines").append("one");
  LineFile(folder_ / "lines").append("two");
  EXPECT_EQ(read_whole(folder_ / "lines"), "old\none\ntwo\n");
}

TEST_F(Files, LineFileThatCannotBeOpened) {
  const std::string path = folder_ / "missing/lines";
  EXPECT_EQ(refusal_of<RunError>([&] { LineFile file(path); }),
            "cannot write '" + path + "': No such file or directory");
}

TEST_F(Files, LineFileThatCannotGrow) {
  ASSERT_TRUE(fs::exists("/dev/full"));
  LineFile file("/dev/full");
  for (const std::string& line : {std::string("one"), std::string(100'000, 'x')}) {
    EXPECT_EQ(refusal_of<RunError>([&] { file.append(line); }),
              "cannot write '/dev/full': No space left on device");
  }
}

}  // namespace
}  // namespace entrain
