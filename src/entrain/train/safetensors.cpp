#include "entrain/train/safetensors.h"

#include <ATen/ATen.h>

#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>

#include "entrain/core/errors.h"
#include "entrain/core/files.h"

namespace entrain {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

using Json = nlohmann::ordered_json;

const char* type_name(at::ScalarType type) {
  ENTRAIN_CHECK(type == at::kFloat || type == at::kDouble);
  return type == at::kFloat ? "F32" : "F64";
}

at::Tensor tensor_of(const Json& entry, const std::string& bytes, std::size_t data) {
  const std::string type = entry.at("dtype");
  if (type != "F32" && type != "F64") throw std::runtime_error("dtype " + type);
  const std::vector<std::int64_t> sizes = entry.at("shape");
  const std::vector<std::uint64_t> range = entry.at("data_offsets");
  for (const std::int64_t size : sizes) {
    if (size < 0 || size > std::int64_t{1} << 40) throw std::runtime_error("a size out of range");
  }
  at::Tensor tensor;
  const std::uint64_t room = bytes.size() - data;
  if (range.size() != 2 || range[0] > range[1] || range[1] > room) {
    throw std::runtime_error("data_offsets beyond the end");
  }
  double items = 1;
  for (const std::int64_t size : sizes) items *= static_cast<double>(size);
  if (items * (type == "F32" ? 4 : 8) != static_cast<double>(range[1] - range[0])) {
    throw std::runtime_error("shape and data_offsets do not agree");
  }
  tensor = at::empty(sizes, type == "F32" ? at::kFloat : at::kDouble);
  std::memcpy(tensor.data_ptr(), bytes.data() + data + range[0], range[1] - range[0]);
  return tensor;
}

TensorFile parse(const std::string& bytes) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) throw std::runtime_error("shorter than its header");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > bytes.size() - sizeof length) throw std::runtime_error("shorter than its header");
  const Json header = Json::parse(bytes.substr(sizeof length, length));
  if (!header.is_object()) throw std::runtime_error("the header is no JSON object");
  TensorFile file;
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") {
      for (const auto& [key, note] : entry.items()) file.notes[key] = note.get<std::string>();
    } else {
      file.tensors.push_back({name, tensor_of(entry, bytes, sizeof length + length)});
    }
  }
  return file;
}

}  // namespace

void save_tensors(const std::filesystem::path& path, const TensorFile& file) {
  Json header;
  std::string data;
  if (!file.notes.empty()) header["__metadata__"] = file.notes;
  for (const auto& [name, tensor] : file.tensors) {
    const at::Tensor whole = tensor.detach().cpu().contiguous();
    const std::size_t begin = data.size();
    data.append(static_cast<const char*>(whole.data_ptr()), whole.nbytes());
    header[name] = {{"dtype", type_name(whole.scalar_type())},
                    {"shape", whole.sizes().vec()},
                    {"data_offsets", {begin, data.size()}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  write_whole(path, bytes + text + data);
}

TensorFile load_tensors(const std::filesystem::path& path) {
  const std::string bytes = read_whole(path);
  try {
    return parse(bytes);
  } catch (const std::exception& error) {
    throw DataError(
        fmt::format("'{}' is not a whole safetensors file: {}", path.string(), error.what()));
  }
}

}  // namespace entrain
