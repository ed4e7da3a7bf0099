#include "entrain/config/toml.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "entrain/core/errors.h"
#include "entrain/core/text.h"

// toml++ 3.3 takes for granted what a file such as "[[=" breaks: by assert(), or by nothing at all
// under NDEBUG. Input from outside has to end in an error, so its assertions throw.
[[noreturn]] static void refuse_toml() { throw std::invalid_argument("not TOML"); }
#define TOML_ASSERT(condition) ((condition) ? void(0) : ::refuse_toml())
#define TOML_HEADER_ONLY 1
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace entrain {
namespace {

constexpr std::size_t largest_file = 1024 * 1024;
constexpr std::ptrdiff_t most_dots = 1024;
constexpr int deepest_table = 8;  // what is inside of deeper ones is not listed

std::string read_small_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             std::fclose);
  std::string content(largest_file + 1, '\0');
  if (file) content.resize(std::fread(content.data(), 1, content.size(), file.get()));
  if (!file || std::ferror(file.get())) {
    throw UsageError(fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  }
  if (content.size() > largest_file) {
    throw UsageError(fmt::format("{}: over 1 MiB; is this a configuration?", path));
  }
  // toml++ nests a table per dot and follows them on the stack; thousands are an attack.
  if (std::count(content.begin(), content.end(), '.') > most_dots) {
    throw UsageError(fmt::format("{}: over {} dots; is this a configuration?", path, most_dots));
  }
  return content;
}

toml::table parse_file(const std::string& path) {
  const std::string content = read_small_file(path);
  try {
    return toml::parse(std::string_view(content), std::string_view(path));
  } catch (const toml::parse_error& error) {
    throw UsageError(
        fmt::format("{}:{}: {}", path, error.source().begin.line, excerpt(error.description())));
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("{}: {}", path, error.what()));
  }
}

std::string bare_or_quoted(std::string_view key) {
  const auto bare = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  };
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), bare);
  return plain ? std::string(key) : toml_quote(key);
}

/// Walks the tables of a file and lists what it meets.
class TomlWalk {
 public:
  explicit TomlWalk(std::string path) : path_(std::move(path)) {}

  void inside(const toml::table& table, const std::string& prefix) {
    if (depth_ == deepest_table) return;
    ++depth_;
    for (const auto& [key, node] : table) {
      meet(prefix + bare_or_quoted(key.str()), key.source().begin.line, node);
    }
    --depth_;
  }

  std::vector<Given> by_line() && {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Given> result;
    for (auto& [line, given] : found_) result.push_back(std::move(given));
    return result;
  }

 private:
  using Kind = Given::Kind;

  void meet(const std::string& key, std::size_t line, const toml::node& node) {
    const toml::array* array = node.as_array();
    if (const toml::table* table = node.as_table()) {
      add(key, line, Kind::table, "");
      inside(*table, key + ".");
    } else if (array && array->is_array_of_tables()) {
      for (std::size_t i = 0; i < array->size(); ++i) {
        const toml::node& element = (*array)[i];
        meet(fmt::format("{}[{}]", key, i), element.source().begin.line, element);
      }
    } else {
      value(key, line, node);
    }
  }

  void value(const std::string& key, std::size_t line, const toml::node& node) {
    if (const auto* text = node.as_string()) return add(key, line, Kind::text, text->get());
    if (const auto* real = node.as_floating_point()) {
      return add(key, line, Kind::number, print_number(real->get()));
    }
    if (const auto* integer = node.as_integer()) {
      return add(key, line, Kind::integer, fmt::format("{}", integer->get()));
    }
    std::ostringstream written;
    node.visit([&](const auto& any) { written << any; });
    add(key, line, Kind::other, excerpt(written.str()));
  }

  void add(const std::string& key, std::size_t line, Kind kind, std::string value) {
    found_.push_back({line, {key, fmt::format("{}:{}", path_, line), kind, std::move(value)}});
  }

  std::string path_;
  int depth_ = 0;
  std::vector<std::pair<std::size_t, Given>> found_;
};

/// The bytes of the UTF-8 character that `text` begins with; 0 if it begins with none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const unsigned first = byte(0);
  const unsigned second = byte(1);
  if (first < 0x80) return first == 0 ? 0 : 1;
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond_unicode = first > 0xF4 || (first == 0xF4 && second > 0x8F);
  return overlong || surrogate || beyond_unicode ? 0 : length;
}

}  // namespace

std::vector<Given> read_toml(const std::filesystem::path& file) {
  TomlWalk walk(file.string());
  const toml::table root = parse_file(file.string());
  walk.inside(root, "");
  return std::move(walk).by_line();
}

std::string toml_quote(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      result += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace entrain
