// Data files that are missing, cut short or not what their names say end in exit code 3 and a
// message that names the file.

#include "process/command.h"

namespace entrain {
namespace {

class BadData : public ProcessTest {
 protected:
  void SetUp() override {
    ProcessTest::SetUp();
    write_tiny_mnist(mnist());
  }

  std::filesystem::path mnist() const { return *this / "data" / "mnist"; }

  Outcome train(const Words& more = {}) {
    return run(join({"train", "data.name=mnist", "model.name=softmax", "train.batch=4",
                     "train.steps=3", "--out", "out"},
                    more));
  }

  void expect_refused(const Words& parts, const Words& more = {}) {
    expect_exit(train(more), 3, parts);
    EXPECT_FALSE(std::filesystem::exists(*this / "out"));
  }

  // Writes other bytes over a file of the tiny set.
  void expect_refused(const std::string& file, const std::string& content, const Words& parts) {
    const std::string whole = file_content(mnist() / file);
    write_file(mnist() / file, content);
    expect_refused(join(parts, {file}));
    write_file(mnist() / file, whole);
  }
};

TEST_F(BadData, TheTinySetItselfIsGood) {
  const Outcome outcome = train();
  expect_exit(outcome, 0, {"warning", "checksum"});
  expect_whole_files(folder());
}

TEST_F(BadData, MissingFiles) {
  std::filesystem::remove(mnist() / "t10k-labels-idx1-ubyte");
  expect_refused({"t10k-labels-idx1-ubyte", "data/mnist", "data prepare mnist"});
  expect_refused({"train-images-idx3-ubyte", "elsewhere/mnist"}, {"data.root=elsewhere"});
}

TEST_F(BadData, TruncatedFiles) {
  expect_refused("train-images-idx3-ubyte", idx_images(12).substr(0, 5000), {"cut short"});
  expect_refused("train-labels-idx1-ubyte", idx_labels(12).substr(0, 15), {"cut short"});
  expect_refused("t10k-images-idx3-ubyte", idx_images(5).substr(0, 9), {"header"});
  expect_refused("t10k-labels-idx1-ubyte", "", {"header", "0 bytes"});
}

TEST_F(BadData, TruncatedAndCorruptGzip) {
  const std::string file = "train-images-idx3-ubyte";
  write_gz(mnist() / (file + ".gz"), idx_images(12));
  std::filesystem::remove(mnist() / file);
  const std::string packed = file_content(mnist() / (file + ".gz"));
  expect_exit(train(), 0);
  std::filesystem::remove_all(*this / "out");
  expect_refused(file + ".gz", packed.substr(0, packed.size() / 2), {"cut short"});
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // its checksum
  expect_refused(file + ".gz", damaged, {"corrupt"});
}

TEST_F(BadData, WrongContent) {
  expect_refused("train-images-idx3-ubyte", idx_labels(12),
                 {"expected magic 2051 (images), found magic 2049 (labels)"});
  expect_refused("t10k-labels-idx1-ubyte", "PK\3\4 is no such file", {"no IDX file"});
  expect_refused("train-images-idx3-ubyte",
                 big_endian({2051, 12, 32, 32}) + std::string(12 * 32 * 32, 'x'),
                 {"28x28", "32x32"});
  expect_refused("t10k-labels-idx1-ubyte", idx_labels(4), {"4 labels", "5 images"});
  expect_refused("train-labels-idx1-ubyte", idx_labels(12) + "x", {"more bytes"});
}

TEST_F(BadData, LabelOutOfRange) {
  std::string labels = idx_labels(12);
  labels.back() = 10;
  expect_refused("train-labels-idx1-ubyte", labels, {"labels 0 to 9, found 10 for sample 11"});
}

TEST_F(BadData, EveryProcessSaysSoAndTheLauncherEnds) {
  write_file(mnist() / "train-labels-idx1-ubyte", "");
  const Outcome outcome = run({"launch", "-n", "2", "--", "train", "data.name=mnist",
                               "model.name=softmax", "--out", "out"});
  expect_exit(outcome, 3, {"train-labels-idx1-ubyte", "ended first, with exit code 3"});
  EXPECT_FALSE(std::filesystem::exists(*this / "out"));
}

TEST_F(BadData, RealFilesWithOneFault) {
  ENTRAIN_NEEDS_DATA("mnist");
  std::filesystem::remove_all(mnist());
  std::filesystem::create_directories(mnist());
  const std::filesystem::path real = real_data("mnist") / "mnist";
  for (const auto& entry : std::filesystem::directory_iterator(real)) {
    write_file(mnist() / entry.path().filename(), file_content(entry.path()));
  }
  const std::string file = "train-images-idx3-ubyte.gz";
  std::string content = file_content(mnist() / file);
  expect_refused(file, content.substr(0, content.size() - 1000), {"cut short"});
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 0x55);
  expect_refused(file, content, {"cannot be read"});
}

TEST_F(BadData, PrepareLaysOutWhatItIsGivenAndRefusesTheRest) {
  const Words prepare = {"data", "prepare", "mnist", "--root", "laid", "--from"};
  expect_exit(run(join(prepare, {"data/mnist"})), 0, {"checksum"});
  expect_exit(train({"data.root=laid"}), 0);
  std::filesystem::remove_all(*this / "laid");
  write_file(mnist() / "train-labels-idx1-ubyte", "");
  expect_exit(run(join(prepare, {"data/mnist"})), 3, {"train-labels-idx1-ubyte"});
  EXPECT_FALSE(std::filesystem::exists(*this / "laid/mnist"));
  expect_exit(run(join(prepare, {"nowhere"})), 3, {"nowhere"});
  expect_exit(run({"data", "prepare", "mnist"}), 2, {"--from", "--download"});
}

}  // namespace
}  // namespace entrain
