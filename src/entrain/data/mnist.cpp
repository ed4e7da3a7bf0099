#include "entrain/data/mnist.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "entrain/core/errors.h"
#include "entrain/data/reader.h"

namespace entrain {
namespace {

constexpr std::uint32_t image_magic = 2051, label_magic = 2049;
constexpr std::int64_t image_side = 28;
constexpr std::uint32_t most_samples = 300'000;  // a bound on what a header can make us allocate
constexpr int digits = 10;

struct IdxFile {
  std::string name;
  std::string sha256;  // of the uncompressed content of the official file
};

const std::array<IdxFile, 4> idx_files{{
    {"train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
    {"train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
    {"t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
    {"t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"},
}};

[[noreturn]] void broken(const Reader& reader, const std::string& expected,
                         const std::string& found) {
  throw DataError(
      fmt::format("{}: expected {}, found {}; put the original file there, or remove the folder "
                  "and run `entrain data prepare mnist --download`",
                  reader.path().string(), expected, found));
}

std::string magic_text(std::uint32_t magic) {
  if (magic == image_magic) return fmt::format("magic {} (images)", magic);
  if (magic == label_magic) return fmt::format("magic {} (labels)", magic);
  return fmt::format("magic {} (no IDX file of bytes)", magic);
}

/// Reads `count` big-endian numbers.
std::vector<std::uint32_t> read_header(Reader& reader, std::size_t count) {
  std::vector<std::uint8_t> bytes(4 * count);
  const std::size_t got = reader.read(bytes);
  if (got < bytes.size())
    broken(reader, fmt::format("a header of {} bytes", bytes.size()), fmt::format("{} bytes", got));
  std::vector<std::uint32_t> numbers(count);
  for (std::size_t i = 0; i < bytes.size(); ++i) numbers[i / 4] = numbers[i / 4] << 8 | bytes[i];
  return numbers;
}

void check_header(const Reader& reader, const std::vector<std::uint32_t>& header,
                  std::uint32_t magic) {
  if (header[0] != magic) broken(reader, magic_text(magic), magic_text(header[0]));
  if (header[1] < 1 || header[1] > most_samples)
    broken(reader, fmt::format("a count of 1 to {} samples", most_samples),
           fmt::format("{}", header[1]));
  if (magic == image_magic && (header[2] != image_side || header[3] != image_side))
    broken(reader, "images of 28x28 pixels", fmt::format("{}x{}", header[2], header[3]));
}

/// Reads the rest of the file, which must be as long as the header says.
void read_content(Reader& reader, std::uint32_t count, at::Tensor& content) {
  const auto size = static_cast<std::size_t>(content.numel());
  const std::size_t got = reader.read({content.data_ptr<std::uint8_t>(), size});
  const std::string expected =
      fmt::format("{} bytes after the header, for {} samples", size, count);
  if (got < size) broken(reader, expected, fmt::format("only {}: the file is cut short", got));
  std::uint8_t more = 0;
  if (reader.read({&more, 1}) > 0) broken(reader, expected, "more bytes after them");
}

/// The content of the file: uint8 [N, 1, 28, 28] of images, or [N] of labels.
at::Tensor read_idx(const std::filesystem::path& path, const std::string& sha256,
                    std::uint32_t magic, std::vector<std::string>& warnings) {
  Reader reader(path);
  const std::vector<std::uint32_t> header = read_header(reader, magic == image_magic ? 4 : 2);
  check_header(reader, header, magic);
  std::vector<std::int64_t> shape{header[1]};
  if (magic == image_magic) shape.insert(shape.end(), {1, image_side, image_side});
  at::Tensor content = at::empty(shape, at::kByte);
  read_content(reader, header[1], content);
  if (reader.sha256() != sha256)
    warnings.push_back(fmt::format("{}: its checksum is not that of the official MNIST file",
                                   reader.path().string()));
  return content;
}

void check_labels(const std::filesystem::path& path, const at::Tensor& labels,
                  std::int64_t images) {
  if (labels.numel() != images)
    throw DataError(
        fmt::format("{}: found {} labels, but there are {} images; the files must be of one set",
                    path.string(), labels.numel(), images));
  const std::uint8_t* first = labels.data_ptr<std::uint8_t>();
  const std::uint8_t* last = first + labels.numel();
  const std::uint8_t* wrong = std::find_if(first, last, [](int label) { return label >= digits; });
  if (wrong != last)
    throw DataError(fmt::format("{}: expected labels 0 to 9, found {} for sample {}", path.string(),
                                *wrong, wrong - first));
}

/// `part` 0: the training samples, 1: the test samples.
Samples read_samples(const std::vector<SourceFile>& files, std::size_t part,
                     std::vector<std::string>& warnings) {
  const std::size_t images = 2 * part, labels = images + 1;
  Samples samples{read_idx(files[images].path, idx_files[images].sha256, image_magic, warnings),
                  read_idx(files[labels].path, idx_files[labels].sha256, label_magic, warnings)};
  check_labels(files[labels].path, samples.labels, samples.inputs.size(0));
  samples.labels = samples.labels.to(at::kLong);
  return samples;
}

}  // namespace

std::vector<SourceFile> mnist_files(const std::filesystem::path& folder) {
  std::vector<SourceFile> files;
  for (const IdxFile& file : idx_files) {
    const auto path = plain_or_gz(folder, file.name);
    if (!path)
      throw DataError(fmt::format(
          "mnist: neither {0} nor {0}.gz is in {1}; run `entrain data prepare mnist --download`, "
          "or `entrain data prepare mnist --from PATH` if you have the files",
          file.name, folder.string()));
    files.push_back({*path, path->filename().string()});
  }
  return files;
}

Dataset mnist(const std::filesystem::path& folder) {
  const std::vector<SourceFile> files = mnist_files(folder);
  Dataset dataset;
  dataset.name = "mnist";
  dataset.train = read_samples(files, 0, dataset.warnings);
  dataset.test = read_samples(files, 1, dataset.warnings);
  dataset.classes = digits;
  dataset.mean = {0.1307};
  dataset.deviation = {0.3081};
  return dataset;
}

}  // namespace entrain
