// Data files that are missing, cut short or not what their names say end in exit code 3 and a
// message that names the file.

#include "process/command.h"

namespace entrain {
namespace {

// A file of the tiny set with other content, and parts of the message.
struct Fault {
  std::string file, content;
  Words message;
};

class BadData : public ProcessTest {
 protected:
  std::filesystem::path mnist(const std::string& root = "data") const {
    return *this / root / "mnist";
  }

  Words train(const std::string& root = "data") const {
    return {"train",
            "data.name=mnist",
            "data.root=" + root,
            "model.name=softmax",
            "train.batch=4",
            "train.steps=3",
            "--out",
            "out-" + root};
  }

  void expect_refused(const Outcome& outcome, const std::string& root, const Words& message) {
    expect_exit(outcome, 3, message);
    EXPECT_FALSE(std::filesystem::exists(*this / ("out-" + root)));
  }

  // Each fault alone, in a set of its own.
  void expect_refused(const std::vector<Fault>& faults) {
    std::vector<Words> commands;
    for (const Fault& fault : faults) {
      const std::string root = "data" + std::to_string(commands.size());
      write_tiny_mnist(mnist(root));
      if (fault.file.ends_with(".gz")) {
        std::filesystem::remove(mnist(root) / fault.file.substr(0, fault.file.size() - 3));
      }
      write_file(mnist(root) / fault.file, fault.content);
      commands.push_back(train(root));
    }
    const std::vector<Outcome> outcomes = run_all(commands);
    for (std::size_t i = 0; i < faults.size(); ++i) {
      const std::string root = "data" + std::to_string(i);
      expect_refused(outcomes[i], root, join(faults[i].message, {root, faults[i].file}));
    }
  }
};

TEST_F(BadData, TheTinySetItselfIsGood) {
  write_tiny_mnist(mnist());
  write_tiny_mnist(mnist("packed"));
  for (const auto& entry : std::filesystem::directory_iterator(mnist())) {
    const std::string name = entry.path().filename();
    write_gz(mnist("packed") / (name + ".gz"), file_content(entry.path()));
    std::filesystem::remove(mnist("packed") / name);
  }
  for (const Outcome& outcome : run_all({train(), train("packed")})) {
    expect_exit(outcome, 0, {"warning", "checksum"});
  }
  expect_whole_files(folder());
}

TEST_F(BadData, MissingFiles) {
  write_tiny_mnist(mnist());
  std::filesystem::remove(mnist() / "t10k-labels-idx1-ubyte");
  const std::vector<Outcome> outcomes = run_all({train(), train("elsewhere")});
  expect_refused(outcomes[0], "data",
                 {"t10k-labels-idx1-ubyte", "data/mnist", "data prepare mnist"});
  expect_refused(outcomes[1], "elsewhere", {"train-images-idx3-ubyte", "elsewhere/mnist"});
}

TEST_F(BadData, TruncatedFiles) {
  expect_refused({{"train-images-idx3-ubyte", idx_images(12).substr(0, 5000), {"cut short"}},
                  {"train-labels-idx1-ubyte", idx_labels(12).substr(0, 15), {"cut short"}},
                  {"t10k-images-idx3-ubyte", idx_images(5).substr(0, 9), {"header"}},
                  {"t10k-labels-idx1-ubyte", "", {"header", "0 bytes"}}});
}

TEST_F(BadData, TruncatedAndCorruptGzip) {
  write_gz(*this / "packed", idx_images(12));
  const std::string packed = file_content(*this / "packed");
  std::string damaged = packed;
  damaged[damaged.size() - 6] = static_cast<char>(damaged[damaged.size() - 6] ^ 1);  // its checksum
  expect_refused(
      {{"train-images-idx3-ubyte.gz", packed.substr(0, packed.size() / 2), {"cut short"}},
       {"train-images-idx3-ubyte.gz", damaged, {"corrupt"}}});
}

TEST_F(BadData, WrongContent) {
  expect_refused({{"train-images-idx3-ubyte",
                   idx_labels(12),
                   {"expected magic 2051 (images), found magic 2049 (labels)"}},
                  {"t10k-labels-idx1-ubyte", "PK\3\4 is no such file", {"no IDX file"}},
                  {"train-images-idx3-ubyte",
                   big_endian({2051, 12, 32, 32}) + std::string(12 * 32 * 32, 'x'),
                   {"28x28", "32x32"}},
                  {"t10k-labels-idx1-ubyte", idx_labels(4), {"4 labels", "5 images"}},
                  {"train-labels-idx1-ubyte", idx_labels(12) + "x", {"more bytes"}}});
}

TEST_F(BadData, LabelOutOfRange) {
  std::string labels = idx_labels(12);
  labels.back() = 10;
  expect_refused({{"train-labels-idx1-ubyte", labels, {"labels 0 to 9, found 10 for sample 11"}}});
}

TEST_F(BadData, EveryProcessSaysSoAndTheLauncherEnds) {
  write_tiny_mnist(mnist());
  write_file(mnist() / "train-labels-idx1-ubyte", "");
  expect_refused(run(join({"launch", "-n", "2", "--"}, train())), "data",
                 {"train-labels-idx1-ubyte", "ended first, with exit code 3"});
}

TEST_F(BadData, RealFilesWithOneFault) {
  ENTRAIN_NEEDS_DATA("mnist");
  const std::filesystem::path real = real_data("mnist") / "mnist";
  const std::string file = "train-images-idx3-ubyte.gz";
  for (const char* root : {"cut", "flipped"}) {
    std::filesystem::create_directories(mnist(root));
    for (const auto& entry : std::filesystem::directory_iterator(real)) {
      write_file(mnist(root) / entry.path().filename(), file_content(entry.path()));
    }
  }
  std::string content = file_content(real / file);
  ASSERT_GT(content.size(), 1'000'000u) << real / file;
  write_file(mnist("cut") / file, content.substr(0, content.size() - 1000));
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 0x55);
  write_file(mnist("flipped") / file, content);
  const std::vector<Outcome> outcomes = run_all({train("cut"), train("flipped")});
  expect_refused(outcomes[0], "cut", {file, "cut short"});
  expect_refused(outcomes[1], "flipped", {file, "cannot be read"});
}

TEST_F(BadData, PrepareLaysOutWhatItIsGivenAndRefusesTheRest) {
  write_tiny_mnist(mnist());
  const Words prepare = {"data", "prepare", "mnist", "--from"};
  expect_exit(run(join(prepare, {"data/mnist", "--root", "laid"})), 0, {"checksum"});
  expect_exit(run(train("laid")), 0);
  write_file(mnist() / "train-labels-idx1-ubyte", "");
  const std::vector<Outcome> outcomes = run_all({join(prepare, {"data/mnist", "--root", "new"}),
                                                 join(prepare, {"nowhere", "--root", "new"}),
                                                 {"data", "prepare", "mnist"}});
  expect_exit(outcomes[0], 3, {"train-labels-idx1-ubyte"});
  expect_exit(outcomes[1], 3, {"nowhere"});
  expect_exit(outcomes[2], 2, {"--from", "--download"});
  EXPECT_FALSE(std::filesystem::exists(*this / "new/mnist"));
}

}  // namespace
}  // namespace entrain
