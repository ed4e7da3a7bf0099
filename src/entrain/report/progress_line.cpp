#include "entrain/report/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "entrain/report/table.h"

namespace entrain {

ProgressLine::ProgressLine(std::string label, std::int64_t steps, bool shown)
    : label_(std::move(label)), steps_(steps), shown_(shown), terminal_(isatty(STDERR_FILENO)) {
  next_ = began_ + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10));
}

ProgressLine::~ProgressLine() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::at(std::int64_t step, double train_loss) {
  if (!shown_ || Clock::now() < next_) return;
  next_ = Clock::now() + (terminal_ ? std::chrono::milliseconds(200) : std::chrono::seconds(10));
  draw(step, train_loss);
}

void ProgressLine::draw(std::int64_t step, double train_loss) {
  const double passed = std::chrono::duration<double>(Clock::now() - began_).count();
  const double left = passed / static_cast<double>(step) * static_cast<double>(steps_ - step);
  fmt::print(stderr, "{}{}: step {} of {}, train loss {:.4f}, {} left{}",
             terminal_ ? "\r\033[K" : "", label_, step, steps_, train_loss, print_seconds(left),
             terminal_ ? "" : "\n");
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace entrain
