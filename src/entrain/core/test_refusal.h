#pragma once

// For tests only.

#include <functional>
#include <string>

#include "entrain/core/errors.h"

namespace entrain {

/// The message of the Expected that `action` must end in; what else happened, where it does not.
template <class Expected = UsageError>
std::string refusal_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Expected& error) {
    return error.what();
  } catch (const std::exception& error) {
    return std::string("another exception: ") + error.what();
  }
  return "nothing was thrown";
}

}  // namespace entrain
