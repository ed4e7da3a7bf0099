#pragma once

namespace entrain {

/// The version of the project, as in CMakeLists.txt.
extern const char* const kVersion;

/// The commit that was built, with "-dirty" behind it if files had changed; "unknown" outside a
/// repository.
extern const char* const kRevision;

}  // namespace entrain
