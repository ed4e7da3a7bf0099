#include "entrain/report/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "entrain/report/table.h"

namespace entrain {

ProgressLine::ProgressLine(std::string label, std::int64_t steps, bool shown)
    : label_(std::move(label)), steps_(steps), shown_(shown), terminal_(isatty(STDERR_FILENO)) {}

ProgressLine::~ProgressLine() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::at(std::int64_t step, double train_loss) {
  if (!is_due()) return;
  draw(static_cast<double>(step) / static_cast<double>(steps_),
       fmt::format("step {} of {}, train loss {:.4f}", step, steps_, train_loss));
}

void ProgressLine::at(double share, const std::string& text) {
  if (is_due()) draw(share, text);
}

bool ProgressLine::is_due() {
  const double now = began_.seconds();
  if (!shown_ || now < drawn_at_ + (terminal_ ? 0.2 : 10)) return false;
  drawn_at_ = now;
  return true;
}

void ProgressLine::draw(double share, const std::string& text) {
  fmt::print(stderr, "{}{}: {}, {} left{}", terminal_ ? "\r\033[K" : "", label_, text,
             print_seconds(began_.seconds() / share * (1 - share)), terminal_ ? "" : "\n");
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace entrain
