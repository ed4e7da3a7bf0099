#pragma once

// What the tests of this folder share: a folder that goes away, and files of a tiny MNIST.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace entrain {

class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "entrain-data-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path_ = pattern;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string file_content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void write_gz(const std::filesystem::path& path, const std::string& content) {
  const gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
}

/// Big-endian numbers, as in the header of an IDX file.
inline std::string big_endian(const std::vector<std::uint32_t>& numbers) {
  std::string bytes;
  for (const std::uint32_t number : numbers)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift & 255);
  return bytes;
}

/// `count` images of which the pixels go up by `step` from one to the next, modulo 256.
inline std::string idx_images(std::uint32_t count, int step = 7) {
  std::string bytes = big_endian({2051, count, 28, 28});
  for (std::uint32_t i = 0; i < count * 784; ++i) bytes += static_cast<char>(i * step);
  return bytes;
}

/// `count` labels 0, 1, ... 9, 0, ...
inline std::string idx_labels(std::uint32_t count) {
  std::string bytes = big_endian({2049, count});
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % 10);
  return bytes;
}

/// Writes a valid set of 12 + 5 samples, plain, into the new folder `folder`.
inline void write_tiny_mnist(const std::filesystem::path& folder, int step = 7) {
  std::filesystem::create_directories(folder);
  write_file(folder / "train-images-idx3-ubyte", idx_images(12, step));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(12));
  write_file(folder / "t10k-images-idx3-ubyte", idx_images(5, step));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_labels(5));
}

/// The folder of real data that holds `name`; empty where there is none.
inline std::filesystem::path real_data(const std::string& name) {
  const char* root = std::getenv("ENTRAIN_TEST_DATA");
  if (!root || !std::filesystem::is_directory(std::filesystem::path(root) / name)) return {};
  return root;
}

/// The message of the Expected that `action` throws; a failure of the test if it throws none.
template <class Expected, class F>
std::string message_of(F action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    ADD_FAILURE() << "another exception: " << error.what();
    return "";
  }
  ADD_FAILURE() << "no exception";
  return "";
}

inline void expect_mentions(const std::string& message, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is not in: " << message;
}

}  // namespace entrain

/// Skips the test, by name, where the real data set is not there.
#define ENTRAIN_NEEDS_DATA(name)          \
  if (::entrain::real_data(name).empty()) \
  GTEST_SKIP() << "needs the data set '" << name << "' in the folder ENTRAIN_TEST_DATA"
