#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "entrain/data/classes.h"
#include "entrain/data/linear_data.h"

namespace entrain {

/// Where the sets of two classes are published, each a file.
inline constexpr std::string_view official_libsvm_sets =
    "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/binary/";

/// Reads a file in LIBSVM's format (Chang, Lin, "LIBSVM: a library for support vector machines",
/// ACM TIST 2011), plain or gzip: a sample a line, `label index:value index:value ...`, indices
/// from 1, strictly ascending, apart by blanks or tabs. A line with a label alone is a sample of
/// zeros.
///
/// Gives sparse rows, with as many features as the largest index says or, unless that is 0, as
/// `features` says (a test set may lack the last ones). Entries that are 0 are kept.
///
/// Throws DataError "FILE:LINE: ..." for a line that is not of this form, a number that is not
/// finite, an index above `features` or 2^31 - 2, and for a file that has no sample, no entry, or
/// cannot be read; UsageError for `features` outside of 0 .. 2^31 - 2.
LinearData read_libsvm(const std::filesystem::path& file, std::int64_t features = 0);

/// `<data_root>/libsvm/<name>`, or else `<name>.gz` there. A name with a folder in it, as in
/// "./sets/a9a", is the file itself, or with .gz behind it. Throws DataError, which says where it
/// was looked for and where to fetch it, if neither is a file.
std::filesystem::path find_libsvm(const std::filesystem::path& data_root, const std::string& name);

}  // namespace entrain
