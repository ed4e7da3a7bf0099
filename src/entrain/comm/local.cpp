#include "entrain/comm/local.h"

#include <algorithm>
#include <functional>

#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Done in wait(), so that the time it takes is counted as a transport's would be.
class LocalExchange : public Exchange {
 public:
  explicit LocalExchange(std::function<void()> average) : average_(std::move(average)) {}
  bool done() override { return true; }
  void wait() override { average_(); }

 private:
  std::function<void()> average_;
};

class Local : public Communicator {
 public:
  Local(int workers, Team* team) : workers_(workers), team_(team) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_workers() const override { return workers_; }

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override {
    check_exchange(rows, mean, workers_);
    return std::make_unique<LocalExchange>([this, rows, mean] { average(rows, mean); });
  }

  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  std::int64_t wire_bytes_sent() const override { return 0; }

 private:
  void average(const at::Tensor& rows, const at::Tensor& mean) {
    const std::int64_t columns = rows.size(1);
    const int parts = team_ ? team_->threads() : 1;
    const std::int64_t width = (columns / parts + 63) / 64 * 64;
    const auto part = [&](int i) {
      const std::int64_t begin = std::min(columns, i * width);
      tree_mean(rows, begin, i + 1 == parts ? columns : std::min(columns, begin + width), workers_,
                mean);
    };
    if (team_) {
      team_->each(parts, part);
    } else {
      part(0);
    }
  }

  int workers_;
  Team* team_;
};

}  // namespace

void check_exchange(const at::Tensor& rows, const at::Tensor& mean, int local_workers) {
  ENTRAIN_CHECK(rows.dim() == 2 && rows.size(0) == local_workers && rows.stride(1) == 1);
  ENTRAIN_CHECK(mean.dim() == 2 && mean.size(0) == 1 && mean.size(1) == rows.size(1));
  ENTRAIN_CHECK(rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble);
  ENTRAIN_CHECK(mean.is_contiguous() && mean.scalar_type() == rows.scalar_type());
}

std::unique_ptr<Communicator> local_communicator(int workers, Team* team) {
  if (workers < 1) throw UsageError(fmt::format("workers = {}: must be at least 1", workers));
  return std::make_unique<Local>(workers, team);
}

}  // namespace entrain
