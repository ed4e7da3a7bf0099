#include "entrain/data/partial_folder.h"

#include "entrain/core/errors.h"

namespace entrain {

void cannot_write(const std::filesystem::path& where, const std::error_code& error) {
  throw RunError(fmt::format("{}: cannot be written: {}", where.string(), error.message()));
}

void cannot_replace(const std::filesystem::path& target, const std::string& why) {
  throw DataError(
      fmt::format("{}: {}; it is left as it is: move it away, or choose another data.root, and try "
                  "again",
                  target.string(), why));
}

PartialFolder::PartialFolder(const std::filesystem::path& target) {
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  // Another process may be at the same; the first number that is free is ours.
  for (int number = 0; !error; ++number) {
    path_ =
        target.parent_path() / fmt::format(".{}.partial-{}", target.filename().string(), number);
    if (std::filesystem::create_directory(path_, error)) return;
  }
  cannot_write(target.parent_path(), error);
}

PartialFolder::~PartialFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void PartialFolder::become(const std::filesystem::path& target) {
  std::error_code error;
  std::filesystem::rename(path_, target, error);
  if (error) cannot_write(target, error);
}

}  // namespace entrain
