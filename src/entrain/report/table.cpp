#include "entrain/report/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "entrain/core/errors.h"

namespace entrain {

std::string print_table(const std::vector<std::string>& head,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const std::string& cell : head) widths.push_back(cell.size());
  for (const auto& row : rows) {
    ENTRAIN_CHECK(row.size() == head.size());
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string text = fmt::format("{:<{}}", cells[0], widths[0]);
    for (std::size_t i = 1; i < cells.size(); ++i) {
      text += fmt::format("  {:>{}}", cells[i], widths[i]);
    }
    return text + "\n";
  };
  std::string text = line(head);
  text += std::string(text.size() - 1, '-') + "\n";
  for (const auto& row : rows) text += line(row);
  return text;
}

std::string print_count(std::int64_t count, const std::string& noun, const std::string& plural) {
  if (count == 1) return "1 " + noun;
  return fmt::format("{} {}", count, plural.empty() ? noun + "s" : plural);
}

std::string print_bytes(double bytes) {
  static const char* const units[] = {"B", "kB", "MB", "GB", "TB"};
  int unit = 0;
  while (bytes >= 999.5 && unit < 4) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 || bytes >= 999.5 ? fmt::format("{:.0f} {}", bytes, units[unit])
                                     : fmt::format("{:.3g} {}", bytes, units[unit]);
}

std::string print_seconds(double seconds) {
  if (seconds < 0.9995) return fmt::format("{:.0f} ms", 1e3 * seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const long whole = std::lround(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const long minutes = std::lround(seconds / 60);
  return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
}

}  // namespace entrain
