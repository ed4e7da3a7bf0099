#include "entrain/data/download.h"

#include "entrain/core/errors.h"
#include "entrain/core/interrupt.h"
#include "entrain/data/curl.h"

namespace entrain {

void download_file(const std::string& name, const std::vector<std::string>& places,
                   const std::string& file, const std::filesystem::path& folder) {
  std::string failures;
  for (const std::string& place : places) {
    const std::string url = place + file;
    const std::string failure = curl(url, folder / file);
    if (failure.empty()) return;
    if (interrupted())
      throw Interrupted(
          fmt::format("{}: the download was interrupted; nothing is left of it", name));
    failures += fmt::format("\n  {}: {}", url, failure);
  }
  throw DataError(
      fmt::format("{0}: {1} could not be downloaded:{2}\nGet the files by other means and run "
                  "`entrain data prepare {0} --from PATH`",
                  name, file, failures));
}

}  // namespace entrain
