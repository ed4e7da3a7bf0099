#include "entrain/data/curl.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

namespace entrain {
namespace {

/// The content of a small text file, without white space at its end.
std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  text.erase(text.find_last_not_of(" \r\n") + 1);
  return text;
}

/// Runs a program found in PATH, waits for it and returns how it ended: empty if well.
std::string run_program(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (error == ENOENT) return fmt::format("the program {} is not installed", words[0]);
  if (error != 0)
    return fmt::format("cannot run {}: {}", words[0], std::generic_category().message(error));
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return fmt::format("lost sight of {}", words[0]);
  if (WIFSIGNALED(status))
    return fmt::format("{} was ended by signal {}", words[0], WTERMSIG(status));
  if (WEXITSTATUS(status) != 0)
    return fmt::format("{} ended with exit code {}", words[0], WEXITSTATUS(status));
  return "";
}

}  // namespace

std::string curl(const std::string& url, const std::filesystem::path& to) {
  const std::filesystem::path log = to.string() + ".log";
  std::string failure =
      run_program({"curl", "--fail", "--location", "--silent", "--show-error", "--connect-timeout",
                   "30", "--stderr", log.string(), "--output", to.string(), url});
  const std::string said = text_of(log);
  std::error_code ignored;
  std::filesystem::remove(log, ignored);
  if (failure.empty() && !std::filesystem::exists(to, ignored)) failure = "curl made no file";
  return failure.empty() || said.empty() ? failure : failure + " (" + said + ")";
}

}  // namespace entrain
