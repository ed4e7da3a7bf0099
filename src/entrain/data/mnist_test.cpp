#include "entrain/data/mnist.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

const std::string train_images = "train-images-idx3-ubyte";
const std::string train_labels = "train-labels-idx1-ubyte";
const std::string test_images = "t10k-images-idx3-ubyte";
const std::string test_labels = "t10k-labels-idx1-ubyte";

/// A valid tiny set; a test then spoils one file of it.
class Mnist : public testing::Test {
 protected:
  Mnist() { write_tiny_mnist(folder_.path()); }

  void replace(const std::string& name, const std::string& content) {
    write_file(folder_ / name, content);
  }
  std::string failure() {
    return message_of<DataError>([this] { mnist(folder_.path()); });
  }

  TestFolder folder_;
};

TEST_F(Mnist, ReadsPlainFiles) {
  const Dataset dataset = mnist(folder_.path());
  EXPECT_EQ(dataset.train.inputs.sizes(), (std::vector<std::int64_t>{12, 1, 28, 28}));
  EXPECT_EQ(dataset.test.inputs.sizes(), (std::vector<std::int64_t>{5, 1, 28, 28}));
  const at::Tensor pixels = at::arange(12 * 784).mul(7).remainder(256).to(at::kByte);
  EXPECT_TRUE(at::equal(dataset.train.inputs.flatten(), pixels));
  EXPECT_TRUE(at::equal(dataset.train.labels, at::arange(12, at::kLong).remainder(10)));
  EXPECT_EQ(dataset.classes, 10);
  EXPECT_EQ(dataset.mean, std::vector<double>{0.1307});
  EXPECT_EQ(dataset.deviation, std::vector<double>{0.3081});
}

TEST_F(Mnist, ReadsGzipFilesAlike) {
  const Dataset plain = mnist(folder_.path());
  for (const SourceFile& file : mnist_files(folder_.path())) {
    write_gz(folder_ / (file.name + ".gz"), file_content(file.path));
    std::filesystem::remove(file.path);
  }
  const Dataset zipped = mnist(folder_.path());
  EXPECT_TRUE(at::equal(zipped.train.inputs, plain.train.inputs));
  EXPECT_TRUE(at::equal(zipped.test.labels, plain.test.labels));
}

TEST_F(Mnist, WarnsOfEveryFileThatIsNotTheOfficialOne) {
  const Dataset dataset = mnist(folder_.path());
  ASSERT_EQ(dataset.warnings.size(), 4u);
  expect_mentions(dataset.warnings[1], {train_labels, "checksum", "official"});
}

TEST_F(Mnist, AMissingFileIsNamedWithItsFolderAndTheRemedy) {
  std::filesystem::remove(folder_ / test_images);
  expect_mentions(failure(), {test_images, test_images + ".gz", folder_.path().string(),
                              "entrain data prepare mnist --download", "--from PATH"});
}

TEST_F(Mnist, AMissingFolderIsAMissingFile) {
  const auto folder = folder_ / "none";
  expect_mentions(message_of<DataError>([&] { mnist(folder); }), {train_images, folder.string()});
}

TEST_F(Mnist, AnEmptyFileHasNoHeader) {
  replace(train_images, "");
  expect_mentions(failure(), {train_images, "header of 16 bytes", "found 0 bytes"});
}

TEST_F(Mnist, RefusesTheMagicOfTheOtherKind) {
  replace(train_images, idx_labels(12));
  expect_mentions(failure(), {train_images, "expected magic 2051 (images)", "found magic 2049"});
  write_tiny_mnist(folder_.path());
  replace(test_labels, idx_images(5));
  expect_mentions(failure(), {test_labels, "expected magic 2049 (labels)", "found magic 2051"});
}

TEST_F(Mnist, RefusesAFileOfAnotherFormat) {
  replace(train_labels, "<html>404 Not Found</html>");
  expect_mentions(failure(), {train_labels, "expected magic 2049", "no IDX"});
}

TEST_F(Mnist, RefusesAHugeCountBeforeItAllocates) {
  replace(train_images, big_endian({2051, 0xFFFFFFFF, 28, 28}));
  expect_mentions(failure(), {train_images, "1 to 300000 samples", "found 4294967295"});
  write_tiny_mnist(folder_.path());
  replace(train_labels, big_endian({2049, 300'001}));
  expect_mentions(failure(), {train_labels, "found 300001"});
}

TEST_F(Mnist, RefusesNoSamples) {
  replace(train_images, idx_images(0));
  expect_mentions(failure(), {train_images, "found 0"});
}

TEST_F(Mnist, RefusesImagesOfAnotherSize) {
  replace(test_images, big_endian({2051, 5, 32, 28}) + std::string(5 * 32 * 28, '\0'));
  expect_mentions(failure(), {test_images, "28x28", "found 32x28"});
  replace(test_images, big_endian({2051, 5, 28, 32}) + std::string(5 * 32 * 28, '\0'));
  expect_mentions(failure(), {test_images, "28x28", "found 28x32"});
}

TEST_F(Mnist, RefusesAFileThatIsCutShort) {
  std::string images = idx_images(12);
  images.pop_back();
  replace(train_images, images);
  expect_mentions(failure(), {train_images, "9408 bytes", "12 samples", "only 9407", "cut short"});
}

TEST_F(Mnist, RefusesBytesAfterTheEnd) {
  replace(train_labels, idx_labels(12) + "x");
  expect_mentions(failure(), {train_labels, "12 bytes after the header", "more bytes"});
}

TEST_F(Mnist, RefusesLabelsThatAreNoDigit) {
  std::string labels = idx_labels(5);
  labels[8 + 3] = 10;
  replace(test_labels, labels);
  expect_mentions(failure(), {test_labels, "labels 0 to 9", "found 10", "sample 3"});
}

TEST_F(Mnist, RefusesAnotherNumberOfLabelsThanImages) {
  replace(train_labels, idx_labels(11));
  expect_mentions(failure(), {train_labels, "11 labels", "12 images"});
}

TEST_F(Mnist, RefusesAGzipFileThatIsCutShortAnywhere) {
  std::filesystem::remove(folder_ / train_images);
  const auto path = folder_ / (train_images + ".gz");
  write_gz(path, idx_images(12));
  const std::string whole = file_content(path);
  for (const std::size_t size : {whole.size() - 1, whole.size() - 8, whole.size() / 2, 12ul}) {
    write_file(path, whole.substr(0, size));
    expect_mentions(failure(), {train_images + ".gz", "cut short"});
  }
}

TEST_F(Mnist, RefusesAGzipFileWithAnyByteOfItsDataChanged) {
  std::filesystem::remove(folder_ / train_images);
  const auto path = folder_ / (train_images + ".gz");
  write_gz(path, idx_images(12));
  const std::string whole = file_content(path);
  for (const std::size_t at : {whole.size() / 2, whole.size() - 6, whole.size() - 2}) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    write_file(path, changed);
    expect_mentions(failure(), {train_images + ".gz: cannot be read", "the gzip file is"});
  }
}

TEST(RealMnist, IsTheOfficialSet) {
  ENTRAIN_NEEDS_DATA("mnist");
  const Dataset dataset = mnist(real_data("mnist") / "mnist");
  EXPECT_TRUE(dataset.warnings.empty()) << dataset.warnings[0];
  const std::vector<std::int64_t> train{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949};
  const std::vector<std::int64_t> test{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
  EXPECT_TRUE(at::equal(at::bincount(dataset.train.labels), at::tensor(train, at::kLong)));
  EXPECT_TRUE(at::equal(at::bincount(dataset.test.labels), at::tensor(test, at::kLong)));
  const at::Tensor pixels = dataset.train.inputs.to(at::kFloat) / 255;
  EXPECT_NEAR(pixels.mean().item<double>(), dataset.mean[0], 1e-4);
  EXPECT_NEAR(pixels.std().item<double>(), dataset.deviation[0], 1e-4);
}

TEST(RealMnist, OnePixelChangedIsAWarningForThatFileOnly) {
  ENTRAIN_NEEDS_DATA("mnist");
  const TestFolder folder;
  for (const SourceFile& file : mnist_files(real_data("mnist") / "mnist"))
    std::filesystem::create_symlink(std::filesystem::absolute(file.path), folder / file.name);
  const Dataset dataset = mnist(folder.path());
  std::string images = big_endian({2051, 10'000, 28, 28});
  images.append(reinterpret_cast<const char*>(dataset.test.inputs.data_ptr<std::uint8_t>()),
                7'840'000);
  images.back() = static_cast<char>(images.back() + 1);
  write_file(folder / test_images, images);
  const std::vector<std::string> warnings = mnist(folder.path()).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  expect_mentions(warnings[0], {test_images});
}

}  // namespace
}  // namespace entrain
