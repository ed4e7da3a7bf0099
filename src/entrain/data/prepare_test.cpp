#include "entrain/data/prepare.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/data/dataset.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

using Names = std::set<std::string>;

Names names_in(const std::filesystem::path& folder) {
  Names names;
  if (std::filesystem::exists(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      names.insert(entry.path().filename().string());
  return names;
}

TEST(Prepare, CopiesTheOriginalFilesAndNothingElse) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  write_file(from / "notes.txt", "mine");
  const PrepareReport report = prepare_dataset("mnist", root.path(), from.path());
  EXPECT_TRUE(report.changed);
  EXPECT_EQ(report.folder, root / "mnist");
  EXPECT_EQ(report.warnings.size(), 4u);
  expect_mentions(report.message, {"mnist", "12 + 5 samples"});
  EXPECT_EQ(names_in(root.path()), Names{"mnist"});
  EXPECT_EQ(names_in(root / "mnist").size(), 4u);
  EXPECT_EQ(load_dataset("mnist", root.path()).test.labels.numel(), 5);
}

TEST(Prepare, MakesTheRootAndFillsAnEmptyFolder) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  std::filesystem::create_directories(root / "new/data/mnist");
  EXPECT_TRUE(prepare_dataset("mnist", root / "new/data", from.path()).changed);
  EXPECT_TRUE(prepare_dataset("mnist", root / "other/data", from.path()).changed);
  EXPECT_EQ(names_in(root / "new/data/mnist").size(), 4u);
  EXPECT_EQ(names_in(root / "other/data/mnist").size(), 4u);
}

TEST(Prepare, SaysSoIfTheSameSamplesAreThereAlready) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  prepare_dataset("mnist", root.path(), from.path());
  const std::string name = "train-images-idx3-ubyte";  // now zipped, but with the same content
  write_gz(from / (name + ".gz"), file_content(from / name));
  std::filesystem::remove(from / name);
  const PrepareReport report = prepare_dataset("mnist", root.path(), from.path());
  EXPECT_FALSE(report.changed);
  expect_mentions(report.message, {"already", "same samples"});
  EXPECT_FALSE(prepare_dataset("mnist", root.path(), root / "mnist").changed);
}

TEST(Prepare, NeverOverwritesOtherSamples) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  std::string labels = idx_labels(5);
  labels.back() = 9;
  const std::vector<std::pair<std::string, std::string>> others{
      {"train-images-idx3-ubyte", idx_images(12, 9)},
      {"t10k-images-idx3-ubyte", idx_images(5, 9)},
      {"t10k-labels-idx1-ubyte", labels}};
  for (const auto& [file, content] : others) {
    write_tiny_mnist(root / "mnist");
    write_file(root / "mnist" / file, content);
    expect_mentions(
        message_of<DataError>([&] { prepare_dataset("mnist", root.path(), from.path()); }),
        {(root / "mnist").string(), "already", "other samples", from.path().string()});
    EXPECT_EQ(file_content(root / "mnist" / file), content);
  }
}

TEST(Prepare, NeverOverwritesADamagedSet) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  std::filesystem::create_directories(root / "mnist");
  write_file(root / "mnist/train-images-idx3-ubyte", "half");
  expect_mentions(
      message_of<DataError>([&] { prepare_dataset("mnist", root.path(), from.path()); }),
      {(root / "mnist").string(), "already", "move it away"});
  EXPECT_EQ(names_in(root / "mnist"), Names{"train-images-idx3-ubyte"});
}

TEST(Prepare, ABrokenSourceLeavesNothingBehind) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  write_file(from / "t10k-labels-idx1-ubyte", idx_labels(4));
  expect_mentions(
      message_of<DataError>([&] { prepare_dataset("mnist", root.path(), from.path()); }),
      {from.path().string(), "4 labels", "5 images"});
  EXPECT_EQ(names_in(root.path()), Names{});
}

TEST(Prepare, ASourceThatLacksAFileIsAskedForIt) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  std::filesystem::remove(from / "t10k-labels-idx1-ubyte");
  expect_mentions(
      message_of<DataError>([&] { prepare_dataset("mnist", root.path(), from.path()); }),
      {from.path().string(), "t10k-labels-idx1-ubyte.gz"});
  EXPECT_EQ(names_in(root.path()), Names{});
}

TEST(Prepare, ARootThatIsAFileCannotBeWritten) {
  const TestFolder from, root;
  write_tiny_mnist(from.path());
  write_file(root / "data", "a file");
  expect_mentions(
      message_of<RunError>([&] { prepare_dataset("mnist", root / "data", from.path()); }),
      {(root / "data").string(), "cannot be written"});
}

TEST(Prepare, FilesInASubFolderLandInTheFolder) {
  const TestFolder from, root;
  write_members(from / "cifar-10-batches-bin", tiny_cifar());
  write_file(from / "cifar-10-batches-bin/batches.meta.txt", "airplane");
  const PrepareReport report = prepare_dataset("cifar10", root.path(), from.path());
  EXPECT_TRUE(report.changed);
  expect_mentions(report.message, {"cifar10", "112 + 6 samples"});
  EXPECT_EQ(names_in(root / "cifar10").size(), 6u);
  EXPECT_TRUE(names_in(root / "cifar10").contains("test_batch.bin"));
  EXPECT_EQ(load_dataset("cifar10", root.path()).train.labels.numel(), 112);
}

TEST(Prepare, AnArchiveIsCopiedAsItIs) {
  const TestFolder from, root, other;
  write_tar(from / "cifar-10-binary.tar.xz", tiny_cifar());
  EXPECT_TRUE(prepare_dataset("cifar10", root.path(), from.path()).changed);
  EXPECT_EQ(names_in(root / "cifar10"), Names{"cifar-10-binary.tar.xz"});
  EXPECT_EQ(file_content(root / "cifar10/cifar-10-binary.tar.xz"),
            file_content(from / "cifar-10-binary.tar.xz"));
  write_tar(from / "from a friend.tar.gz", tiny_cifar());
  EXPECT_TRUE(prepare_dataset("cifar10", other.path(), from / "from a friend.tar.gz").changed);
  EXPECT_EQ(names_in(other / "cifar10"), Names{"cifar-10-binary.tar.gz"});
  EXPECT_FALSE(prepare_dataset("cifar10", root.path(), from / "from a friend.tar.gz").changed);
}

TEST(Prepare, ABrokenArchiveLeavesNothingBehind) {
  const TestFolder from, root;
  write_tar(from / "cifar-10-binary.tar.gz", tiny_cifar());
  std::filesystem::resize_file(from / "cifar-10-binary.tar.gz", 100'000);
  expect_mentions(
      message_of<DataError>([&] { prepare_dataset("cifar10", root.path(), from.path()); }),
      {(from / "cifar-10-binary.tar.gz").string(), "cut short"});
  EXPECT_EQ(names_in(root.path()), Names{});
}

TEST(Prepare, GlyphsNeedNothing) {
  const TestFolder root;
  for (const PrepareReport& report : {prepare_dataset("glyphs", root.path(), "nowhere"),
                                      download_dataset("glyphs", root.path())}) {
    EXPECT_FALSE(report.changed);
    expect_mentions(report.message, {"glyphs needs no files"});
  }
  EXPECT_EQ(names_in(root.path()), Names{});
}

TEST(Prepare, AnUnknownNameIsAUsageError) {
  EXPECT_THROW(prepare_dataset("minst", "data", "nowhere"), UsageError);
  EXPECT_THROW(download_dataset("minst", "data"), UsageError);
}

/// Puts a program of ours in the place of curl: a shell script that gets the URL as $url and the
/// name of the file to write as $to. No test touches the network.
class Download : public testing::Test {
 protected:
  Download() : path_(std::getenv("PATH")) {
    write_tiny_mnist(served_.path());
    for (const auto& entry : std::filesystem::directory_iterator(served_.path()))
      write_gz(entry.path().string() + ".gz", file_content(entry.path()));
  }
  ~Download() override { setenv("PATH", path_.c_str(), 1); }

  void curl_does(const std::string& script) {
    write_file(bin_ / "curl",
               "#!/bin/sh\nset -e\nwhile [ $# -gt 1 ]; do case $1 in --output) to=$2;; --stderr) "
               "exec 2>\"$2\";; esac; shift; done\nurl=$1\nserved=" +
                   served_.path().string() + "\nasked=" + (bin_ / "asked").string() +
                   "\necho $url >> $asked\n" + script + "\n");
    std::filesystem::permissions(bin_ / "curl", std::filesystem::perms::owner_all);
    setenv("PATH", (bin_.path().string() + ":" + path_).c_str(), 1);
  }

  std::string path_;
  TestFolder served_, bin_, root_;
};

TEST_F(Download, FetchesTheFourFilesFromTheOfficialPlace) {
  curl_does("cp $served/${url##*/} $to");
  const PrepareReport report = download_dataset("mnist", root_.path());
  EXPECT_TRUE(report.changed);
  EXPECT_EQ(report.warnings.size(), 4u);  // what is served is not the official set
  EXPECT_EQ(names_in(root_.path()), Names{"mnist"});
  EXPECT_EQ(names_in(root_ / "mnist"),
            (Names{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                   "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}));
  expect_mentions(file_content(bin_ / "asked"),
                  {"https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
                   "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz"});
}

TEST_F(Download, FetchesTheArchiveOfCifar10) {
  write_tar(served_ / "cifar-10-binary.tar.gz", tiny_cifar());
  curl_does("cp $served/${url##*/} $to");
  EXPECT_TRUE(download_dataset("cifar10", root_.path()).changed);
  EXPECT_EQ(names_in(root_ / "cifar10"), Names{"cifar-10-binary.tar.gz"});
  EXPECT_EQ(file_content(bin_ / "asked"),
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz\n");
}

TEST_F(Download, FetchesALibsvmSet) {
  write_file(served_ / "a9a", "1 1:1\n-1 2:1\n");
  curl_does("cp $served/${url##*/} $to");
  EXPECT_TRUE(download_dataset("a9a", root_.path()).changed);
  EXPECT_EQ(names_in(root_.path()), Names{"libsvm"});
  EXPECT_EQ(names_in(root_ / "libsvm"), Names{"a9a"});
  EXPECT_EQ(file_content(bin_ / "asked"),
            "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/a9a\n");
}

TEST_F(Download, GoesToTheMirrorWhereTheOfficialPlaceFails) {
  curl_does("case $url in *ossci*) exit 22;; esac; cp $served/${url##*/} $to");
  EXPECT_TRUE(download_dataset("mnist", root_.path()).changed);
  expect_mentions(file_content(bin_ / "asked"),
                  {"https://storage.googleapis.com/cvdf-datasets/mnist/t10k-images-idx3-ubyte.gz"});
}

TEST_F(Download, AFailureNamesTheUrlsWhatCurlSaidAndTheWayAround) {
  curl_does("echo 'curl: (6) Could not resolve host' >&2; exit 6");
  expect_mentions(
      message_of<DataError>([this] { download_dataset("mnist", root_.path()); }),
      {"https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz",
       "https://storage.googleapis.com/cvdf-datasets/mnist/train-images-idx3-ubyte.gz",
       "exit code 6", "Could not resolve host", "entrain data prepare mnist --from PATH"});
  EXPECT_EQ(names_in(root_.path()), Names{});
}

TEST_F(Download, WithoutCurlItSaysSo) {
  setenv("PATH", bin_.path().c_str(), 1);
  expect_mentions(message_of<DataError>([this] { download_dataset("mnist", root_.path()); }),
                  {"curl is not installed", "https://", "--from PATH"});
}

TEST_F(Download, CtrlCEndsItWithoutATryAtTheMirror) {
  curl_does("kill -INT $PPID; exit 130");
  const auto interrupted_download = [this] {
    watch_interrupts();
    try {
      download_dataset("mnist", root_.path());
    } catch (const Interrupted& error) {
      _exit(error.exit_code());
    }
  };
  EXPECT_EXIT(interrupted_download(), testing::ExitedWithCode(130), "");
  EXPECT_EQ(file_content(bin_ / "asked").find("googleapis"), std::string::npos);
  EXPECT_EQ(names_in(root_.path()), Names{});
}

TEST_F(Download, WhatIsServedIsCheckedBeforeItIsLaidOut) {
  curl_does("echo '<html>log in first</html>' > $to");
  expect_mentions(message_of<DataError>([this] { download_dataset("mnist", root_.path()); }),
                  {"train-images-idx3-ubyte.gz", "expected magic 2051"});
  EXPECT_EQ(names_in(root_.path()), Names{});
}

TEST_F(Download, NeverReplacesASetThatIsNotTheOfficialOne) {
  curl_does("cp $served/${url##*/} $to");
  write_tiny_mnist(root_ / "mnist", 9);
  expect_mentions(message_of<DataError>([this] { download_dataset("mnist", root_.path()); }),
                  {(root_ / "mnist").string(), "already", "official"});
  EXPECT_EQ(names_in(bin_.path()), Names{"curl"});  // nothing was asked for
}

TEST(RealPrepare, CopiesTheOfficialFilesWithoutAWarning) {
  ENTRAIN_NEEDS_DATA("mnist");
  const TestFolder root;
  const auto from = real_data("mnist") / "mnist";
  const PrepareReport report = prepare_dataset("mnist", root.path(), from);
  EXPECT_TRUE(report.changed);
  EXPECT_TRUE(report.warnings.empty());
  expect_mentions(report.message, {"60000 + 10000 samples"});
  const PrepareReport again = download_dataset("mnist", root.path());  // needs no network
  EXPECT_FALSE(again.changed);
  expect_mentions(again.message, {"already"});
}

}  // namespace
}  // namespace entrain
