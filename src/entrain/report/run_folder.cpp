#include "entrain/report/run_folder.h"

#include <fmt/chrono.h>

#include <ctime>
#include <random>

#include "entrain/core/errors.h"

namespace entrain {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_make(const fs::path& path, const std::error_code& error) {
  throw RunError(fmt::format("cannot make the run folder '{}': {}; give another with --out DIR",
                             path.string(), error.message()));
}

}  // namespace

RunFolder::RunFolder(fs::path path) : path_(std::move(path)), metrics_(path_ / "metrics.jsonl") {}

RunFolder RunFolder::create(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) cannot_make(path, error);
  const bool empty = fs::is_empty(path, error);
  if (error) cannot_make(path, error);
  if (!empty) {
    throw UsageError(
        fmt::format("the run folder '{}' is not empty, and a run is never overwritten; give "
                    "another with --out DIR",
                    path.string()));
  }
  return RunFolder(path);
}

RunFolder RunFolder::create_under(const fs::path& parent, const std::string& name) {
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) cannot_make(parent, error);
  const std::time_t now = std::time(nullptr);
  std::random_device random;
  for (;;) {
    const fs::path path = parent / fmt::format("{:%Y-%m-%d-%H%M%S}-{}-{:04x}", fmt::localtime(now),
                                               name, random() & 0xffff);
    if (fs::create_directory(path, error)) return RunFolder(path);
    if (error) cannot_make(path, error);
  }
}

void RunFolder::write(const std::string& file, std::string_view content) const {
  write_whole(path_ / file, content);
}

}  // namespace entrain
