#pragma once

#include <filesystem>
#include <map>

#include "entrain/strategy/layout.h"

namespace entrain {

/// Tensors by name with notes, in the safetensors format: the length of a JSON header (uint64,
/// little-endian), the header, the bytes of the tensors.
struct TensorFile {
  std::vector<NamedTensor> tensors;
  std::map<std::string, std::string> notes;
};

/// Writes the file whole or not at all. Throws RunError.
void save_tensors(const std::filesystem::path& path, const TensorFile& file);

/// Reads and checks the whole file. Throws DataError for what is no such file, RunError if it
/// cannot be read.
TensorFile load_tensors(const std::filesystem::path& path);

}  // namespace entrain
