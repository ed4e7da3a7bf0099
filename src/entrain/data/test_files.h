#pragma once

// What the tests of this folder share: files of a tiny MNIST and of a tiny CIFAR-10.

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "entrain/core/test_folder.h"

namespace entrain {

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

/// `count` records of CIFAR-10: labels from `first_label` on, modulo 10, and pixels that no packer
/// makes much smaller.
inline std::string cifar_records(int count, int first_label, std::uint32_t noise = 1) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += static_cast<char>((first_label + i) % 10);
    for (int k = 0; k < 3072; ++k) {
      noise = noise * 1664525 + 1013904223;
      bytes += static_cast<char>(noise >> 24);
    }
  }
  return bytes;
}

/// Names, which may have folders, and contents.
using Members = std::vector<std::pair<std::string, std::string>>;

/// The six files of a valid set of 112 + 6 samples.
inline Members tiny_cifar(std::uint32_t noise = 1) {
  return {{"data_batch_1.bin", cifar_records(1, 0, noise)},
          {"data_batch_2.bin", cifar_records(2, 1, noise + 1)},
          {"data_batch_3.bin", cifar_records(100, 3, noise + 2)},
          {"data_batch_4.bin", cifar_records(4, 3, noise + 3)},
          {"data_batch_5.bin", cifar_records(5, 7, noise + 4)},
          {"test_batch.bin", cifar_records(6, 4, noise + 5)}};
}

inline void write_members(const std::filesystem::path& folder, const Members& members) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, content] : members) write_file(folder / name, content);
}

/// Writes a tar archive, packed as its name says.
inline void write_tar(const std::filesystem::path& path, const Members& members,
                      int format = ARCHIVE_FORMAT_TAR_USTAR) {
  archive* tar = archive_write_new();
  archive_write_set_format(tar, format);
  if (path.extension() == ".gz") archive_write_add_filter_gzip(tar);
  if (path.extension() == ".xz") archive_write_add_filter_xz(tar);
  ASSERT_EQ(archive_write_open_filename(tar, path.c_str()), ARCHIVE_OK);
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    ASSERT_EQ(archive_write_header(tar, entry), ARCHIVE_OK);
    archive_write_data(tar, content.data(), content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_free(tar), ARCHIVE_OK);
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
