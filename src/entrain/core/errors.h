#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace entrain {

/// What went wrong, as the exit code of the command line.
enum class Failure { failed = 1, usage = 2, data = 3, communication = 4, interrupted = 130 };

/// An error that a caller can handle. The message says what, where, why, and what to do next.
class Error : public std::runtime_error {
 public:
  Error(Failure failure, const std::string& message)
      : std::runtime_error(message), failure_(failure) {}
  Failure failure() const { return failure_; }
  int exit_code() const { return static_cast<int>(failure_); }

 private:
  Failure failure_;
};

/// A machine that does not do what it should: a full disk, a folder that cannot be written.
struct RunError : Error {
  explicit RunError(const std::string& message) : Error(Failure::failed, message) {}
};

/// Training whose loss is no longer a finite number.
struct Diverged : RunError {
  using RunError::RunError;
};

/// A setting, flag or value that cannot be meant; the message quotes it.
struct UsageError : Error {
  explicit UsageError(const std::string& message) : Error(Failure::usage, message) {}
};

/// A data file that is missing, cut short or not what its name says.
struct DataError : Error {
  explicit DataError(const std::string& message) : Error(Failure::data, message) {}
};

/// A peer that cannot be reached, or two peers that do not agree.
struct CommunicationError : Error {
  explicit CommunicationError(const std::string& message)
      : Error(Failure::communication, message) {}
};

/// The user asked to stop (Ctrl-C).
struct Interrupted : Error {
  explicit Interrupted(const std::string& message) : Error(Failure::interrupted, message) {}
};

/// Ends in std::logic_error: a broken invariant of our own code, never the caller's fault.
[[noreturn]] void broken_invariant(const char* file, int line, const char* condition);

}  // namespace entrain

/// States an invariant of our own code. Use an Error for whatever a caller can get wrong.
#define ENTRAIN_CHECK(condition) \
  ((condition) ? void(0) : ::entrain::broken_invariant(__FILE__, __LINE__, #condition))
