#include "entrain/train/safetensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "entrain/core/errors.h"
#include "entrain/core/files.h"

namespace entrain {
namespace {

class Safetensors : public testing::Test {
 protected:
  std::filesystem::path path_ =
      std::filesystem::temp_directory_path() / fmt::format("entrain-{}.safetensors", getpid());
  ~Safetensors() override { std::filesystem::remove(path_); }
};

TEST_F(Safetensors, ReadsBackWhatItWrote) {
  const TensorFile file = {{{"a", at::randn({3, 4})},
                            {"b", at::randn({5}, at::kDouble)},
                            {"transposed", at::randn({2, 6}).t()},
                            {"scalar", at::randn({})},
                            {"empty", at::empty({0, 3})}},
                           {{"strategy", "local_sgd(8)"}}};
  save_tensors(path_, file);
  const TensorFile again = load_tensors(path_);
  EXPECT_EQ(again.notes, file.notes);
  ASSERT_EQ(again.tensors.size(), file.tensors.size());
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    EXPECT_EQ(again.tensors[i].name, file.tensors[i].name);
    EXPECT_TRUE(again.tensors[i].tensor.equal(file.tensors[i].tensor)) << file.tensors[i].name;
  }
}

TEST_F(Safetensors, HasTheFormatsBytes) {
  save_tensors(path_, {{{"x", at::ones({1})}}, {}});
  const std::string bytes = read_whole(path_);
  EXPECT_EQ(bytes.size() % 8, 4u);  // header padded to 8, then 4 bytes of data
  EXPECT_EQ(bytes.substr(8, 5), "{\"x\":");
  EXPECT_EQ(bytes.substr(bytes.size() - 4), std::string("\x00\x00\x80\x3f", 4));
}

TEST_F(Safetensors, EveryTruncationIsRefused) {
  save_tensors(path_, {{{"x", at::ones({4})}, {"y", at::ones({2, 2})}}, {{"note", "n"}}});
  const std::string bytes = read_whole(path_);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    write_whole(path_, bytes.substr(0, size));
    EXPECT_THROW(load_tensors(path_), DataError) << size << " of " << bytes.size() << " bytes";
  }
}

TEST_F(Safetensors, HostileHeadersAreRefused) {
  const auto with_header = [&](const std::string& header) {
    const std::uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + header + "12345678";
  };
  for (const char* header :
       {"[]", "{\"x\":1}", "not json", R"({"x":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})",
        R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})",
        R"({"x":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
        R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
        R"({"x":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})",
        R"({"x":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,8]}})"}) {
    write_whole(path_, with_header(header));
    EXPECT_THROW(load_tensors(path_), DataError) << header;
  }
  write_whole(path_, std::string("\xff\xff\xff\xff\xff\xff\xff\x7f{}", 10));
  EXPECT_THROW(load_tensors(path_), DataError);
  EXPECT_THROW(load_tensors("/nowhere/x.safetensors"), RunError);
}

}  // namespace
}  // namespace entrain
