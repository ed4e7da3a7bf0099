#include "entrain/data/libsvm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <map>

#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"
#include "entrain/data/test_files.h"

namespace entrain {
namespace {

/// A file of a test's own.
class Libsvm : public testing::Test {
 protected:
  LinearData read(const std::string& text, std::int64_t features = 0) {
    write_file(file_, text);
    return read_libsvm(file_, features);
  }
  /// What reading `text` is refused with; checks that the message begins with the file and `line`.
  std::string failure(const std::string& text, int line, std::int64_t features = 0) {
    const std::string message = message_of<DataError>([&] { read(text, features); });
    const std::string where = file_.string() + ":" + std::to_string(line) + ": ";
    EXPECT_TRUE(message.starts_with(where)) << message << "\ndoes not begin with " << where;
    return message;
  }

  TestFolder folder_;
  const std::filesystem::path file_ = folder_ / "set";
};

at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values, at::kDouble); }

bool equal_data(const LinearData& a, const LinearData& b) {
  return a.samples == b.samples && a.features == b.features && at::equal(a.offsets, b.offsets) &&
         at::equal(a.columns, b.columns) && at::equal(a.values, b.values) &&
         at::equal(a.labels, b.labels);
}

TEST_F(Libsvm, ReadsSparseRows) {
  const LinearData data = read("+1 1:0.5 3:-2e-3 7:+4\n-1\t2:1 \t 5:.25\n");
  EXPECT_TRUE(data.sparse());
  EXPECT_EQ(data.samples, 2);
  EXPECT_EQ(data.features, 7);
  EXPECT_TRUE(at::equal(data.offsets, at::tensor({0, 3, 5}, at::kLong)));
  EXPECT_TRUE(at::equal(data.columns, at::tensor({0, 2, 6, 1, 4}, at::kInt)));
  EXPECT_TRUE(at::equal(data.values, doubles({0.5, -2e-3, 4, 1, 0.25})));
  EXPECT_TRUE(at::equal(data.labels, doubles({1, -1})));
}

TEST_F(Libsvm, TakesLabelsAloneLineEndsOfAnyKindAndBlankLinesAtTheEnd) {
  const LinearData plain = read("1\n-1 1:2\n0.5 2:0\n");
  EXPECT_TRUE(at::equal(plain.offsets, at::tensor({0, 0, 1, 2}, at::kLong)));
  EXPECT_TRUE(at::equal(plain.labels, doubles({1, -1, 0.5})));
  for (const std::string text :
       {"1\r\n-1 1:2\r\n0.5 2:0\r\n", "1\n-1 1:2\n0.5 2:0", "1 \n\t-1 1:2\t\n  0.5  2:0 \r\n",
        "1\n-1 1:2\n0.5 2:0\n\n \r\n\n"})
    EXPECT_TRUE(equal_data(read(text), plain)) << text;
}

TEST_F(Libsvm, HasAsManyFeaturesAsAskedFor) {
  EXPECT_EQ(read("1 3:1\n", 5).features, 5);
  EXPECT_EQ(read("1\n", 5).features, 5);
  expect_mentions(failure("1 5:1\n1 1:1 6:2\n", 2, 5), {"'6:2'", "above 5", "ask for more"});
  expect_mentions(message_of<UsageError>([&] { read("1 1:1\n", -1); }), {"features = -1"});
}

TEST_F(Libsvm, RefusesIndicesThatDoNotAscendFromOne) {
  expect_mentions(failure("1 1:1\n1 0:1 1:2\n", 2), {"'0:1'", "begin at 1", "add 1"});
  expect_mentions(failure("1 2:1 1:2\n", 1), {"'1:2'", "index 1 stands behind 2", "sort"});
  expect_mentions(failure("1 1:1\n1 1:1\n1 2:1 2:2\n", 3), {"'2:2'", "stands twice"});
  expect_mentions(failure("1 -3:1\n", 1), {"'-3:1'", "begin at 1"});
}

TEST_F(Libsvm, TakesIndicesUpToTheLargestAndNoFurther) {
  EXPECT_EQ(read("1 2147483646:1\n").columns.item<int>(), 2147483645);
  for (const std::string index : {"2147483647", "4294967297", "99999999999999999999"})
    expect_mentions(failure("1 1:1\n1 2:1 " + index + ":1\n", 2), {index, "2^31 - 2"});
}

TEST_F(Libsvm, RefusesWhatIsNoNumber) {
  expect_mentions(failure("1 1:1\nspam 1:1\n", 2), {"label", "'spam' is not a number"});
  expect_mentions(failure("1,2 1:1\n", 1), {"label", "'1,2' is not a number"});
  expect_mentions(failure("+-1 1:1\n", 1), {"label", "'+-1' is not a number"});
  expect_mentions(failure("1:1 2:1\n", 1), {"label", "'1:1' is not a number"});
  expect_mentions(failure("1 1:x\n", 1), {"'1:x'", "'x' is not a number"});
  expect_mentions(failure("1 1:1x\n", 1), {"'1x' is not a number"});
  expect_mentions(failure("1 1:0x10\n", 1), {"'0x10' is not a number"});
  expect_mentions(failure("1 1:1,5\n", 1), {"'1,5' is not a number"});
  expect_mentions(failure("1 1:1:1\n", 1), {"'1:1' is not a number"});
  expect_mentions(failure("1 1:\n", 1), {"'1:'", "'' is not a number"});
  expect_mentions(failure("1 x:1\n", 1), {"'x:1'", "whole number from 1 on"});
  expect_mentions(failure("1 1.5:1\n", 1), {"'1.5:1'", "whole number from 1 on"});
  expect_mentions(failure("1 :1\n", 1), {"':1'", "whole number from 1 on"});
}

TEST_F(Libsvm, RefusesWhatIsNotFinite) {
  for (const std::string value : {"nan", "inf", "-inf", "NaN", "infinity"}) {
    expect_mentions(failure("1 2:" + value + "\n", 1), {"'" + value + "' is not finite"});
    expect_mentions(failure(value + " 2:1\n", 1), {"label", "'" + value + "' is not finite"});
  }
  for (const std::string value : {"1e400", "-1e400", "1e-400"})
    expect_mentions(failure("1 2:" + value + "\n", 1), {value, "too large or too small"});
}

TEST_F(Libsvm, RefusesLinesOfAnotherForm) {
  expect_mentions(failure("1 1:1\n1 2\n", 2), {"'2' has no ':'", "index:value"});
  expect_mentions(failure("1 1:1 # a remark\n", 1), {"'#' has no ':'"});
  expect_mentions(failure("1 1:1\n\n1 1:1\n", 2), {"blank line between samples"});
  expect_mentions(failure("1\n2\n", 2), {"no line has an index:value"});
  expect_mentions(failure("", 1), {"empty"});
  expect_mentions(failure(" \r\n\n", 1), {"empty"});
}

TEST_F(Libsvm, QuotesALongOrBinaryTextInPart) {
  const std::string message = failure("1 1:" + std::string(100'000, '\x01') + "\n", 1);
  EXPECT_LT(message.size(), 600u);
  EXPECT_EQ(message.find('\x01'), std::string::npos);
}

TEST_F(Libsvm, ReadsNumbersAlikeInEveryLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "de_DE.UTF-8");  // where it is installed, numbers have a decimal comma
  const LinearData data = read("1.5 1:2.25\n");
  std::setlocale(LC_ALL, before.c_str());
  EXPECT_EQ(data.labels.item<double>(), 1.5);
  EXPECT_EQ(data.values.item<double>(), 2.25);
}

TEST_F(Libsvm, ReadsGzipAlikeWhateverItsName) {
  const std::string text = "1 1:0.5 3:2\n-1 2:1\n";
  const LinearData plain = read(text);
  for (const char* name : {"set.gz", "packed"}) {
    write_gz(folder_ / name, text);
    EXPECT_TRUE(equal_data(read_libsvm(folder_ / name), plain)) << name;
  }
}

TEST_F(Libsvm, RefusesFilesThatAreBrokenPackedOtherwiseOrNone) {
  const auto refused = [&](const std::filesystem::path& path) {
    return message_of<DataError>([&] { read_libsvm(path); });
  };
  write_gz(file_, std::string(1000, '1') + " 1:1\n");
  const std::string whole = file_content(file_);
  for (const std::size_t size : {whole.size() - 1, whole.size() / 2, std::size_t{12}}) {
    write_file(file_, whole.substr(0, size));
    expect_mentions(refused(file_), {"set: cannot be read", "cut short"});
  }
  write_file(file_, "BZh91AY&SY");
  expect_mentions(refused(file_), {"bzip2", "bunzip2"});
  write_file(file_,
             "\xFD"
             "7zXZ");
  expect_mentions(refused(file_), {"xz", "unxz"});
  expect_mentions(refused(folder_.path()), {"no regular file"});
  expect_mentions(refused(folder_ / "none"), {"none: cannot be read", "No such file"});
}

/// A valid text with up to five of its bytes replaced, taken out or put in.
std::string spoilt(Stream& stream) {
  const std::string_view wanted = "0123456789:: \t\r\n+-.enaif#";
  std::string text = "+1 1:0.5 3:2e1 9:-4\n-1 2:1\r\n-1\n1 1:1 2:2 8:.5\n";
  for (std::uint64_t left = stream.below(6); left > 0; --left) {
    const std::size_t at = stream.below(text.size());
    const bool any = stream.below(4) == 0;
    const char byte =
        any ? static_cast<char>(stream.below(256)) : wanted[stream.below(wanted.size())];
    text.replace(at, stream.below(2), stream.below(2), byte);
  }
  return text;
}

TEST_F(Libsvm, HostileBytesEndInDataOrInAnError) {
  Stream stream(1, Purpose::sample);
  int accepted = 0, refused = 0;
  for (int round = 0; round < 5000; ++round) {
    try {
      const LinearData data = read(spoilt(stream), round % 5 == 0 ? 9 : 0);
      EXPECT_EQ(data.offsets[-1].item<std::int64_t>(), data.values.numel());
      EXPECT_TRUE(data.columns.lt(data.features).all().item<bool>());
      ++accepted;
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with(file_.string() + ":")) << error.what();
      ++refused;
    }
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST_F(Libsvm, IsFoundInTheDataFolderOrWhereItsNamePoints) {
  std::filesystem::create_directories(folder_ / "libsvm");
  write_file(folder_ / "libsvm/plain", "1 1:1\n");
  write_gz(folder_ / "libsvm/packed.gz", "1 1:1\n");
  write_file(file_, "1 1:1\n");
  EXPECT_EQ(find_libsvm(folder_.path(), "plain"), folder_ / "libsvm/plain");
  EXPECT_EQ(find_libsvm(folder_.path(), "packed"), folder_ / "libsvm/packed.gz");
  EXPECT_EQ(find_libsvm("nowhere", file_.string()), file_);
  expect_mentions(message_of<DataError>([&] { find_libsvm("d", "a9a"); }),
                  {"a9a.gz", "d/libsvm", "libsvmtools/datasets/binary/a9a", "data.root"});
  expect_mentions(message_of<DataError>([&] { find_libsvm("d", "./x/a9a"); }), {"a9a.gz", "./x"});
}

struct KnownSet {
  std::string name;
  std::int64_t samples, features, entries;
  std::map<double, std::int64_t> labels;
};

TEST(RealLibsvm, HasTheCountsOfEverySet) {
  ENTRAIN_NEEDS_DATA("libsvm");
  const std::vector<KnownSet> sets = {
      {"a9a", 32561, 123, 451592, {{-1, 24720}, {1, 7841}}},
      {"a9a.t", 16281, 122, 225731, {{-1, 12435}, {1, 3846}}},
      {"w8a", 49749, 300, 579586, {{-1, 48270}, {1, 1479}}},
      {"mushrooms", 8124, 112, 170604, {{1, 3916}, {2, 4208}}},
      {"phishing", 11055, 68, 331650, {{0, 4898}, {1, 6157}}},
      {"heart_scale", 270, 13, 3378, {{-1, 150}, {1, 120}}},
      {"german.numer_scale", 1000, 24, 23001, {{-1, 700}, {1, 300}}}};
  for (const auto& [name, samples, features, entries, labels] : sets) {
    const LinearData data = read_libsvm(find_libsvm(real_data("libsvm"), name));
    EXPECT_EQ(data.samples, samples) << name;
    EXPECT_EQ(data.features, features) << name;
    EXPECT_EQ(data.values.count_nonzero().item<std::int64_t>(), entries) << name;
    for (const auto& [label, count] : labels)
      EXPECT_EQ(data.labels.eq(label).sum().item<std::int64_t>(), count) << name << " " << label;
    EXPECT_EQ(binary_labels(data.labels).eq(1).sum().item<std::int64_t>(), labels.at(1)) << name;
  }
  const LinearData test = read_libsvm(find_libsvm(real_data("libsvm"), "a9a.t"), 123);
  EXPECT_EQ(test.features, 123);
}

}  // namespace
}  // namespace entrain
