#include "entrain/data/libsvm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <memory>
#include <string_view>
#include <vector>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"
#include "entrain/data/file_text.h"
#include "entrain/data/libsvm_sets.h"
#include "entrain/data/reader.h"

namespace entrain {
namespace {

constexpr std::int64_t largest_index = (std::int64_t{1} << 31) - 2;
constexpr std::string_view white = " \t\r";

bool is_space(char c) { return c == ' ' || c == '\t'; }

/// Where a number that begins at `at` ends; null if there is none or it is not finite.
const char* read_number(const char* at, const char* end, double& value) {
  // from_chars takes no plus sign.
  if (end - at > 1 && *at == '+' && at[1] != '-') ++at;
  const auto [stop, error] = std::from_chars(at, end, value);
  return error == std::errc() && std::isfinite(value) ? stop : nullptr;
}

/// What is wrong with a text that read_number() does not take whole.
std::string why_no_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const std::string quoted = fmt::format("'{}'", excerpt(text));
  if (stop != end || error == std::errc::invalid_argument) return quoted + " is not a number";
  if (error == std::errc::result_out_of_range)
    return quoted + " is too large or too small for a double";
  return quoted + " is not finite; replace it by a number, or leave the sample out";
}

template <class T>
at::Tensor tensor_of(std::vector<T> values) {
  values.shrink_to_fit();
  const auto kept = std::make_shared<std::vector<T>>(std::move(values));
  return at::from_blob(
      kept->data(), {static_cast<std::int64_t>(kept->size())}, [kept](void*) {},
      c10::CppTypeToScalarType<T>::value);
}

/// One pass over the text of one file.
class LibsvmParser {
 public:
  LibsvmParser(const std::filesystem::path& file, std::int64_t features)
      : file_(file), features_(features), most_(features ? features : largest_index) {}

  LinearData whole(std::string_view text) {
    while (!text.empty()) {
      ++line_;
      const std::size_t length = std::min(text.find('\n'), text.size());
      line(text.substr(0, length));
      text.remove_prefix(std::min(length + 1, text.size()));
    }
    return result();
  }

 private:
  void line(std::string_view text) {
    const std::size_t last = text.find_last_not_of(white);
    if (last == std::string_view::npos) {
      if (blank_ == 0) blank_ = line_;
      return;
    }
    if (blank_ > 0) {
      line_ = blank_;
      fail("a blank line between samples; remove it");
    }
    sample(text.data(), text.data() + last + 1);
  }

  /// The text from `at` to `end`, of which the last character is no blank.
  void sample(const char* at, const char* end) {
    at = label(skip_spaces(at), end);
    for (std::int64_t previous = 0; at != end;) at = entry(skip_spaces(at), end, previous);
    offsets_.push_back(static_cast<std::int64_t>(columns_.size()));
  }

  static const char* skip_spaces(const char* at) {
    while (is_space(*at)) ++at;
    return at;
  }

  const char* label(const char* at, const char* end) {
    double value = 0;
    const char* stop = read_number(at, end, value);
    if (!ends_token(stop, end))
      fail(fmt::format("label: {}; a line is: label index:value index:value ...",
                       why_no_number(token(at, end))));
    labels_.push_back(value);
    return stop;
  }

  const char* entry(const char* at, const char* end, std::int64_t& previous) {
    std::int64_t index = 0;
    double value = 0;
    const auto [colon, error] = std::from_chars(at, end, index);
    if (error != std::errc() || colon == end || *colon != ':') refuse_entry(token(at, end));
    const char* stop = read_number(colon + 1, end, value);
    if (!ends_token(stop, end)) refuse_entry(token(at, end));
    if (index <= previous || index > most_) refuse_index(index, previous, token(at, end));
    columns_.push_back(static_cast<std::int32_t>(index - 1));
    values_.push_back(value);
    largest_ = std::max(largest_, index);
    previous = index;
    return stop;
  }

  static bool ends_token(const char* at, const char* end) {
    return at && (at == end || is_space(*at));
  }

  static std::string_view token(const char* at, const char* end) {
    return {at, static_cast<std::size_t>(std::find_if(at, end, is_space) - at)};
  }

  /// REQUIRES: `token` is not of the form index:value with an index that int64 holds.
  [[noreturn]] void refuse_entry(std::string_view token) const {
    const std::size_t colon = token.find(':');
    if (colon == std::string_view::npos)
      fail(fmt::format("'{}' has no ':'; an entry is index:value", excerpt(token)));
    const std::string_view index = token.substr(0, colon);
    if (index.empty() || index.find_first_not_of("0123456789") != std::string_view::npos)
      fail(fmt::format("'{}': the index must be a whole number from 1 on", excerpt(token)));
    std::int64_t ignored = 0;
    if (std::from_chars(index.data(), index.data() + colon, ignored).ec != std::errc())
      refuse_large(token);
    fail(fmt::format("'{}': {}", excerpt(token), why_no_number(token.substr(colon + 1))));
  }

  [[noreturn]] void refuse_index(std::int64_t index, std::int64_t previous,
                                 std::string_view token) const {
    const std::string entry = excerpt(token);
    if (index < 1)
      fail(fmt::format("'{}': indices begin at 1; add 1 to each if they begin at 0", entry));
    if (index == previous)
      fail(fmt::format("'{}': index {} stands twice; keep one of them", entry, index));
    if (index < previous)
      fail(fmt::format("'{}': index {} stands behind {}; sort the entries of a line by index",
                       entry, index, previous));
    refuse_large(token);
  }

  [[noreturn]] void refuse_large(std::string_view token) const {
    fail(fmt::format(
        "'{}': the index is above {}", excerpt(token),
        features_ ? fmt::format("{}, the number of features asked for; ask for more", features_)
                  : std::string("2^31 - 2, the largest that is read")));
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw DataError(fmt::format("{}:{}: {}", file_.string(), line_, why));
  }

  LinearData result() {
    if (labels_.empty()) {
      line_ = 1;
      fail("the file is empty; a line is: label index:value index:value ...");
    }
    if (largest_ == 0 && features_ == 0)
      fail("the file ends here, and no line has an index:value; is this a file of LIBSVM's form?");
    LinearData data;
    data.samples = static_cast<std::int64_t>(labels_.size());
    data.features = features_ ? features_ : largest_;
    data.offsets = tensor_of(std::move(offsets_));
    data.columns = tensor_of(std::move(columns_));
    data.values = tensor_of(std::move(values_));
    data.labels = tensor_of(std::move(labels_));
    return data;
  }

  std::filesystem::path file_;
  std::int64_t features_;  // 0: as many as the largest index says
  std::int64_t most_;
  std::int64_t line_ = 0, blank_ = 0;  // from 1; the first blank line, 0: none so far
  std::int64_t largest_ = 0;
  std::vector<std::int64_t> offsets_{0};
  std::vector<std::int32_t> columns_;
  std::vector<double> values_, labels_;
};

}  // namespace

LinearData read_libsvm(const std::filesystem::path& file, std::int64_t features) {
  if (features < 0 || features > largest_index)
    throw UsageError(
        fmt::format("features = {}: must be 0 (the largest index) to {}", features, largest_index));
  const FileText text(file);
  return LibsvmParser(file, features).whole(text.view());
}

std::filesystem::path find_libsvm(const std::filesystem::path& data_root, const std::string& name) {
  const std::filesystem::path given = name;
  const std::filesystem::path folder =
      given.has_parent_path() ? given.parent_path() : data_root / "libsvm";
  const std::string file = given.filename().string();
  if (const auto found = plain_or_gz(folder, file)) return *found;
  throw DataError(fmt::format(
      "'{0}': neither {1} nor {1}.gz is in {2}; {4}fetch {3}{1} into that folder, or set "
      "data.root to the folder that has libsvm/{1}",
      name, file, folder.string(), official_libsvm_sets,
      libsvm_set(name) ? fmt::format("entrain data prepare {} --download does it; or ", name)
                       : ""));
}

}  // namespace entrain
