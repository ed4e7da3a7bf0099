#include "entrain/data/cifar.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstring>

#include "entrain/core/errors.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

constexpr const char* packed_names[] = {"cifar-10-binary.tar.gz", "cifar-10-binary.tar.xz",
                                        "cifar-10-binary.tar"};

/// As in the official archive.
Members in_official_folder(const Members& members) {
  Members official{{"cifar-10-batches-bin/batches.meta.txt", "airplane\nautomobile\n"}};
  for (const auto& [name, content] : members)
    official.emplace_back("cifar-10-batches-bin/" + name, content);
  return official;
}

std::string& content_of(Members& members, const std::string& name) {
  for (auto& [member, content] : members)
    if (member == name) return content;
  throw std::logic_error(name);
}

/// The inputs and labels of `bytes`, by ATen.
Samples parsed(const std::string& bytes) {
  at::Tensor all = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::memcpy(all.data_ptr<std::uint8_t>(), bytes.data(), bytes.size());
  all = all.view({-1, 3073});
  return {all.slice(1, 1).reshape({-1, 3, 32, 32}), all.select(1, 0).to(at::kLong)};
}

void expect_samples(const Dataset& dataset, const Members& members) {
  std::string train;
  for (int i = 0; i < 5; ++i) train += members[i].second;
  const Samples expected = parsed(train), test = parsed(members[5].second);
  EXPECT_TRUE(at::equal(dataset.train.inputs, expected.inputs));
  EXPECT_TRUE(at::equal(dataset.train.labels, expected.labels));
  EXPECT_TRUE(at::equal(dataset.test.inputs, test.inputs));
  EXPECT_TRUE(at::equal(dataset.test.labels, test.labels));
}

class Cifar : public testing::Test {
 protected:
  std::string failure() {
    return message_of<DataError>([this] { cifar10(folder_.path()); });
  }
  std::string failure_of_tar(const Members& members) {
    write_tar(folder_ / "cifar-10-binary.tar", members);
    return failure();
  }

  TestFolder folder_;
  Members members_ = tiny_cifar();
};

TEST_F(Cifar, ReadsPlainFiles) {
  write_members(folder_.path(), members_);
  const Dataset dataset = cifar10(folder_.path());
  EXPECT_EQ(dataset.name, "cifar10");
  EXPECT_EQ(dataset.train.inputs.sizes(), (std::vector<std::int64_t>{112, 3, 32, 32}));
  EXPECT_EQ(dataset.test.inputs.sizes(), (std::vector<std::int64_t>{6, 3, 32, 32}));
  EXPECT_EQ(dataset.classes, 10);
  EXPECT_EQ(dataset.mean, (std::vector<double>{0.49140, 0.48216, 0.44653}));
  EXPECT_EQ(dataset.deviation, (std::vector<double>{0.24703, 0.24348, 0.26159}));
  expect_samples(dataset, members_);
}

TEST_F(Cifar, AllFormsGiveEqualSamples) {
  write_members(folder_ / "sub/cifar-10-batches-bin", members_);
  expect_samples(cifar10(folder_ / "sub"), members_);
  for (const char* name : packed_names) {
    const TestFolder folder;
    write_tar(folder / name, in_official_folder(members_));
    expect_samples(cifar10(folder.path()), members_);
    expect_samples(cifar10(folder / name), members_);
  }
}

TEST_F(Cifar, ReadsEveryDialectOfTarAndAnyOrder) {
  const Members backwards(members_.rbegin(), members_.rend());
  for (const int format :
       {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
    write_tar(folder_ / "cifar-10-binary.tar", in_official_folder(backwards), format);
    expect_samples(cifar10(folder_.path()), members_);
  }
}

TEST_F(Cifar, ReadsWhatTheTarProgramMakes) {
  write_members(folder_ / "cifar-10-batches-bin", members_);
  const std::string folder = folder_.path().string();
  for (const char* name : packed_names) {
    const std::string file = folder + "/" + name;
    ASSERT_EQ(std::system(("tar -C " + folder + " -caf " + file + " cifar-10-batches-bin").c_str()),
              0);
    expect_samples(cifar10(file), members_);
  }
}

TEST_F(Cifar, FolderNamesInAnotherAlphabetDoNoHarm) {
  const std::string inner = "\xD0\xBC/" + std::string(150, 'd');
  write_members(folder_ / inner, members_);
  const std::string folder = folder_.path().string();
  ASSERT_EQ(
      std::system(("tar -C " + folder + " --format=pax -cf " + folder + "/a.tar " + inner).c_str()),
      0);
  expect_samples(cifar10(folder_ / "a.tar"), members_);
}

TEST_F(Cifar, PrefersTheFirstFormThatIsComplete) {
  const std::vector<Members> sets{tiny_cifar(10), tiny_cifar(20), tiny_cifar(30), tiny_cifar(40),
                                  tiny_cifar(50)};
  for (int i = 0; i < 3; ++i) write_tar(folder_ / packed_names[i], sets[2 + i]);
  write_members(folder_ / "cifar-10-batches-bin", sets[1]);
  write_members(folder_.path(), sets[0]);
  expect_samples(cifar10(folder_.path()), sets[0]);
  std::filesystem::remove(folder_ / "test_batch.bin");
  expect_samples(cifar10(folder_.path()), sets[1]);
  std::filesystem::remove_all(folder_ / "cifar-10-batches-bin");
  for (int i = 0; i < 3; ++i) {
    expect_samples(cifar10(folder_.path()), sets[2 + i]);
    std::filesystem::remove(folder_ / packed_names[i]);
  }
}

TEST_F(Cifar, WarnsOfEveryFileThatIsNotTheOfficialOne) {
  write_members(folder_.path(), members_);
  const std::vector<std::string> plain = cifar10(folder_.path()).warnings;
  ASSERT_EQ(plain.size(), 6u);
  expect_mentions(plain[1], {"data_batch_2.bin", "checksum", "official"});
  write_tar(folder_ / "a.tar.gz", members_);
  const std::vector<std::string> packed = cifar10(folder_ / "a.tar.gz").warnings;
  ASSERT_EQ(packed.size(), 6u);
  expect_mentions(packed[5], {"a.tar.gz", "test_batch.bin", "checksum", "official"});
}

TEST_F(Cifar, AMissingFileIsNamedWithItsFolderAndTheRemedy) {
  members_.erase(members_.begin() + 3);
  write_members(folder_ / "cifar-10-batches-bin", members_);
  expect_mentions(failure(), {folder_.path().string(), "(missing: data_batch_4.bin)",
                              "cifar-10-binary.tar.gz, .tar.xz or .tar",
                              "entrain data prepare cifar10 --download", "--from PATH"});
  const std::string nowhere = message_of<DataError>([this] { cifar10(folder_ / "none"); });
  expect_mentions(nowhere, {"none", "(missing: data_batch_1.bin, data_batch_2.bin"});
  write_file(folder_ / "cifar10.zip", "PK");
  expect_mentions(message_of<DataError>([this] { cifar10(folder_ / "cifar10.zip"); }),
                  {"cifar10.zip", "nor such an archive"});
}

TEST_F(Cifar, AMissingMemberIsNamed) {
  members_.pop_back();
  expect_mentions(failure_of_tar(members_),
                  {"cifar-10-binary.tar", "does not hold test_batch.bin"});
}

TEST_F(Cifar, RefusesARecordThatIsCutShort) {
  content_of(members_, "data_batch_3.bin").pop_back();
  const std::vector<std::string> parts{"data_batch_3.bin", "record 99 is cut short",
                                       "expected 3073 bytes, found 3072"};
  expect_mentions(failure_of_tar(members_), parts);
  write_members(folder_.path(), members_);
  expect_mentions(failure(), parts);
}

TEST_F(Cifar, RefusesLabelsOutOfRange) {
  content_of(members_, "data_batch_3.bin")[70 * 3073] = static_cast<char>(200);
  const std::vector<std::string> parts{"data_batch_3.bin", "record 70", "label of 0 to 9",
                                       "found 200"};
  expect_mentions(failure_of_tar(members_), parts);
  write_members(folder_.path(), members_);
  expect_mentions(failure(), parts);
  content_of(members_, "data_batch_3.bin")[70 * 3073] = 10;
  expect_mentions(failure_of_tar(members_), {});
}

TEST_F(Cifar, RefusesAnEmptyFile) {
  content_of(members_, "test_batch.bin").clear();
  expect_mentions(failure_of_tar(members_),
                  {"test_batch.bin", "1 to 50000 records", "found 0 bytes"});
}

TEST_F(Cifar, RefusesAHugeSizeBeforeItAllocates) {
  write_members(folder_.path(), members_);
  std::filesystem::resize_file(folder_ / "data_batch_2.bin", std::uintmax_t{3073} * 50'001);
  expect_mentions(failure(), {"data_batch_2.bin", "1 to 50000 records", "found 153653073 bytes"});
}

/// Makes the header at `at` of a tar archive claim `size` (eleven octal digits).
void claim_size(std::string& tar, std::size_t at, const std::string& size) {
  tar.replace(at + 124, 11, size);
  tar.replace(at + 148, 8, "        ");
  unsigned sum = 0;
  for (std::size_t i = at; i < at + 512; ++i) sum += static_cast<unsigned char>(tar[i]);
  tar.replace(at + 148, 7, fmt::format("{:06o}", sum) + '\0');
}

TEST_F(Cifar, RefusesAMemberThatClaimsAHugeSizeBeforeItAllocates) {
  const auto path = folder_ / "cifar-10-binary.tar";
  write_tar(path, members_);
  std::string tar = file_content(path);
  claim_size(tar, 0, "77777777777");
  write_file(path, tar);
  expect_mentions(failure(), {"data_batch_1.bin", "1 to 50000 records", "found 8589934591 bytes"});
}

TEST_F(Cifar, RefusesAMemberThatClaimsMoreThanTheArchiveHas) {
  const auto path = folder_ / "cifar-10-binary.tar";
  content_of(members_, "test_batch.bin") = std::string(6 * 3073, '\0');
  write_tar(path, members_);
  std::string tar = file_content(path);
  claim_size(tar, tar.find("test_batch.bin"), fmt::format("{:011o}", 3073 * 5'000));
  write_file(path, tar);
  expect_mentions(failure(), {path.string() + ": cannot be read", "cut short"});
}

TEST_F(Cifar, RefusesAMemberThatIsThereTwice) {
  members_.emplace_back("elsewhere/data_batch_2.bin", members_[1].second);
  expect_mentions(failure_of_tar(members_),
                  {"cifar-10-binary.tar", "holds data_batch_2.bin twice"});
}

TEST_F(Cifar, HarmfulPathsAreOnlyNames) {
  Members hostile{{"../../x", "outside"}, {"/tmp/entrain-cifar-test-x", "outside"}};
  for (const auto& [name, content] : members_) hostile.emplace_back("../../../" + name, content);
  hostile.emplace_back("/etc/._data_batch_1.bin", "resource fork");
  std::filesystem::create_directories(folder_ / "a/b");
  write_tar(folder_ / "a/b/cifar-10-binary.tar", hostile);
  expect_samples(cifar10(folder_ / "a/b"), members_);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "x"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/entrain-cifar-test-x"));
  const std::filesystem::recursive_directory_iterator all(folder_.path());
  EXPECT_EQ(std::distance(begin(all), end(all)), 3);
}

TEST_F(Cifar, LinksAndFoldersAreNoFiles) {
  const std::string folder = folder_.path().string();
  write_members(folder, members_);
  std::filesystem::rename(folder_ / "test_batch.bin", folder_ / "t");
  for (const char* make : {"ln -s t test_batch.bin", "ln t test_batch.bin", "mkdir test_batch.bin",
                           "mkfifo test_batch.bin"}) {
    const std::string command = "cd " + folder + " && rm -rf test_batch.bin && " + make +
                                " && tar -cf links.tar data_batch_*.bin t test_batch.bin";
    ASSERT_EQ(std::system(command.c_str()), 0);
    expect_mentions(message_of<DataError>([this] { cifar10(folder_ / "links.tar"); }),
                    {"does not hold test_batch.bin"});
  }
}

TEST_F(Cifar, RefusesAnArchiveThatIsCutShortAnywhere) {
  for (const char* name : packed_names) {
    const auto path = folder_ / name;
    write_tar(path, in_official_folder(members_));
    const std::string whole = file_content(path);
    const bool packed = path.extension() != ".tar";
    const std::size_t end = packed ? whole.size() : whole.find("test_batch.bin") + 6 * 3073;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{5}, std::size_t{12}, std::size_t{40}, std::size_t{700},
          end / 4, end / 2, end - 9'000, end - 600, end - 12, end - 4, end - 1}) {
      write_file(path, whole.substr(0, size));
      expect_mentions(failure(), {path.string() + ": cannot be read", "cut short"});
    }
    std::filesystem::remove(path);
  }
}

TEST_F(Cifar, AMemberThatIsCutOffWholeIsMissing) {
  const auto path = folder_ / "cifar-10-binary.tar";
  write_tar(path, members_);
  const std::string whole = file_content(path);
  write_file(path, whole.substr(0, whole.find("test_batch.bin")));
  expect_mentions(failure(), {"cifar-10-binary.tar", "does not hold test_batch.bin"});
}

TEST_F(Cifar, RefusesAPackedArchiveWithAnyByteChanged) {
  for (const char* name : {"cifar-10-binary.tar.gz", "cifar-10-binary.tar.xz"}) {
    const auto path = folder_ / name;
    write_tar(path, members_);
    const std::string whole = file_content(path);
    for (std::size_t at = 12; at < whole.size(); at += whole.size() / 23) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ 0x10);
      write_file(path, changed);
      expect_mentions(failure(), {path.string()});
    }
    for (const std::size_t back : {1, 2, 5, 6, 8}) {  // gzip: length, checksum; xz: footer
      std::string changed = whole;
      changed[whole.size() - back] = static_cast<char>(changed[whole.size() - back] ^ 0x10);
      write_file(path, changed);
      expect_mentions(failure(), {path.string() + ": cannot be read"});
    }
    std::filesystem::remove(path);
  }
}

TEST_F(Cifar, RefusesATarWithADamagedHeader) {
  const auto path = folder_ / "cifar-10-binary.tar";
  write_tar(path, members_);
  std::string tar = file_content(path);
  tar[tar.find("data_batch_2.bin") + 3] = 'X';
  write_file(path, tar);
  expect_mentions(failure(), {path.string() + ": cannot be read", "corrupt"});
}

TEST_F(Cifar, RefusesAFileThatIsNoArchive) {
  for (const char* name : packed_names) {
    for (const std::string& content :
         {std::string(), std::string("<html>404 Not Found</html>"), std::string(100'000, 'x')}) {
      write_file(folder_ / name, content);
      expect_mentions(failure(), {name, "cannot be read", "tar archive"});
    }
    std::filesystem::remove(folder_ / name);
  }
}

TEST(RealCifar, HasTheSamplesOfTheOfficialSet) {
  ENTRAIN_NEEDS_DATA("cifar10");
  const Dataset dataset = cifar10(real_data("cifar10") / "cifar10");
  EXPECT_EQ(dataset.train.inputs.sizes(), (std::vector<std::int64_t>{50'000, 3, 32, 32}));
  EXPECT_EQ(dataset.test.inputs.sizes(), (std::vector<std::int64_t>{10'000, 3, 32, 32}));
  EXPECT_TRUE(at::equal(at::bincount(dataset.train.labels), at::full({10}, 5'000, at::kLong)));
  EXPECT_TRUE(at::equal(at::bincount(dataset.test.labels), at::full({10}, 1'000, at::kLong)));
  const at::Tensor first = at::tensor({6, 9, 9, 4, 1, 1, 2, 7, 8, 3}, at::kLong);
  EXPECT_TRUE(at::equal(dataset.train.labels.slice(0, 0, 10), first));
  for (int channel = 0; channel < 3; ++channel) {
    const at::Tensor pixels = dataset.train.inputs.select(1, channel).to(at::kFloat) / 255;
    EXPECT_NEAR(pixels.mean().item<double>(), dataset.mean[channel], 2e-5);
    EXPECT_NEAR(pixels.std().item<double>(), dataset.deviation[channel], 2e-5);
  }
}

}  // namespace
}  // namespace entrain
