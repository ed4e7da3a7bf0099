#include "entrain/data/cifar.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "entrain/core/errors.h"
#include "entrain/data/reader.h"
#include "entrain/data/sha256.h"
#include "entrain/data/tar.h"

namespace entrain {
namespace {

using std::filesystem::path;

constexpr std::int64_t colours = 3, photo_side = 32;
constexpr std::int64_t photo_size = colours * photo_side * photo_side;
constexpr std::uint64_t record_size = 1 + photo_size;  // a label, then the photograph
constexpr std::uint64_t most_records =
    50'000;  // a bound on what a file's size can make us allocate
constexpr int things = 10;
const std::string unpacked_folder = "cifar-10-batches-bin";
const std::string archive_stem = "cifar-10-binary";
const std::array<std::string, 3> archive_endings{".tar.gz", ".tar.xz", ".tar"};

struct BatchFile {
  std::string name;
  std::string sha256;  // of the official file, as torchvision-ruby checks it after a download
};

// Training batches, then the test batch.
const std::array<BatchFile, 6> batch_files{{
    {"data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"},
    {"data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"},
    {"data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"},
    {"data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"},
    {"data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"},
    {"test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b"},
}};

struct PhotoBatch {
  Samples samples;
  std::string sha256;
};

using PhotoBatches = std::array<std::optional<PhotoBatch>, batch_files.size()>;

/// Fills its argument with bytes and returns how many; fewer than asked only at the end.
using ReadBytes = std::function<std::size_t(std::span<std::uint8_t>)>;

[[noreturn]] void broken_batch(const std::string& where, const std::string& what) {
  throw DataError(
      fmt::format("{}: {}; put the original file there, or remove the folder and run `entrain data "
                  "prepare cifar10 --download`",
                  where, what));
}

void check_size(const std::string& where, std::uint64_t size) {
  if (size < 1 || size > most_records * record_size)
    broken_batch(where, fmt::format("expected 1 to {} records of {} bytes, found {} bytes",
                                    most_records, record_size, size));
  if (size % record_size != 0)
    broken_batch(where, fmt::format("record {} is cut short: expected {} bytes, found {}",
                                    size / record_size, record_size, size % record_size));
}

/// Reads the `size` bytes of one batch. `where` is for messages.
PhotoBatch read_batch(const std::string& where, std::uint64_t size, const ReadBytes& read) {
  check_size(where, size);
  const auto count = static_cast<std::int64_t>(size / record_size);
  Samples samples{at::empty({count, colours, photo_side, photo_side}, at::kByte),
                  at::empty({count}, at::kLong)};
  std::uint8_t* pixels = samples.inputs.data_ptr<std::uint8_t>();
  std::int64_t* labels = samples.labels.data_ptr<std::int64_t>();
  Sha256 digest;
  std::vector<std::uint8_t> block(64 * record_size);
  for (std::int64_t record = 0; record < count;) {
    const auto left = static_cast<std::uint64_t>(count - record) * record_size;
    const std::span<std::uint8_t> bytes(block.data(), std::min<std::size_t>(block.size(), left));
    if (read(bytes) < bytes.size())
      broken_batch(where, fmt::format("ends before its {} bytes", size));
    digest.add(bytes);
    for (std::size_t at = 0; at < bytes.size(); at += record_size, ++record) {
      labels[record] = bytes[at];
      if (bytes[at] >= things)
        broken_batch(where, fmt::format("record {}: expected a label of 0 to 9, found {}", record,
                                        bytes[at]));
      std::memcpy(pixels + record * photo_size, &bytes[at + 1], photo_size);
    }
  }
  return {samples, digest.hex()};
}

PhotoBatches read_unpacked(const std::vector<SourceFile>& files) {
  PhotoBatches batches;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Reader reader(files[i].path, Checksum::none);
    std::error_code ignored;  // the size is then one that is refused
    batches[i] =
        read_batch(files[i].path.string(), std::filesystem::file_size(files[i].path, ignored),
                   [&reader](std::span<std::uint8_t> to) { return reader.read(to); });
  }
  return batches;
}

PhotoBatches read_archive(const path& archive) {
  PhotoBatches batches;
  TarReader tar(archive);
  while (const auto name = tar.next()) {
    const auto file = std::find_if(batch_files.begin(), batch_files.end(),
                                   [&](const BatchFile& batch) { return batch.name == *name; });
    if (file == batch_files.end()) continue;
    std::optional<PhotoBatch>& batch = batches[file - batch_files.begin()];
    if (batch) broken_batch(archive.string(), fmt::format("holds {} twice", *name));
    batch = read_batch(fmt::format("{}: {}", archive.string(), *name), tar.size(),
                       [&tar](std::span<std::uint8_t> to) { return tar.read(to); });
  }
  for (std::size_t i = 0; i < batches.size(); ++i)
    if (!batches[i])
      broken_batch(archive.string(), fmt::format("does not hold {}", batch_files[i].name));
  return batches;
}

Samples joined(std::span<const std::optional<PhotoBatch>> batches) {
  std::vector<at::Tensor> inputs, labels;
  for (const auto& batch : batches) {
    inputs.push_back(batch->samples.inputs);
    labels.push_back(batch->samples.labels);
  }
  return {at::cat(inputs), at::cat(labels)};
}

bool is_file(const path& file) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(file, ignored);
}

std::string missing_batches(const path& folder) {
  std::string names;
  for (const BatchFile& file : batch_files)
    if (!is_file(folder / file.name)) names += (names.empty() ? "" : ", ") + file.name;
  return names;
}

std::vector<SourceFile> unpacked_files(const path& folder) {
  std::vector<SourceFile> files;
  for (const BatchFile& file : batch_files) files.push_back({folder / file.name, file.name});
  return files;
}

}  // namespace

std::vector<SourceFile> cifar10_files(const path& from) {
  for (const path& folder : {from, from / unpacked_folder})
    if (missing_batches(folder).empty()) return unpacked_files(folder);
  for (const std::string& ending : archive_endings) {
    const std::string name = archive_stem + ending;
    if (is_file(from / name)) return {{from / name, name}};
    if (is_file(from) && from.filename().string().ends_with(ending)) return {{from, name}};
  }
  const std::string missing =
      std::min(missing_batches(from), missing_batches(from / unpacked_folder),
               [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
  throw DataError(fmt::format(
      "cifar10: {} is neither a folder with data_batch_1.bin to data_batch_5.bin and "
      "test_batch.bin (missing: {}), nor one with {}.tar.gz, .tar.xz or .tar, nor such an archive; "
      "run `entrain data prepare cifar10 --download`, or `entrain data prepare cifar10 --from "
      "PATH` if you have the files",
      from.string(), missing, archive_stem));
}

Dataset cifar10(const path& from) {
  const std::vector<SourceFile> files = cifar10_files(from);
  const PhotoBatches batches =
      files.size() == 1 ? read_archive(files[0].path) : read_unpacked(files);
  Dataset dataset;
  dataset.name = "cifar10";
  dataset.train = joined(std::span(batches).first(batches.size() - 1));
  dataset.test = batches.back()->samples;
  dataset.classes = things;
  dataset.mean = {0.49140, 0.48216, 0.44653};
  dataset.deviation = {0.24703, 0.24348, 0.26159};
  for (std::size_t i = 0; i < batches.size(); ++i)
    if (batches[i]->sha256 != batch_files[i].sha256)
      dataset.warnings.push_back(
          fmt::format("{}: the checksum of {} is not that of the official CIFAR-10 file",
                      files.size() == 1 ? files[0].path.string() : files[i].path.string(),
                      batch_files[i].name));
  return dataset;
}

}  // namespace entrain
