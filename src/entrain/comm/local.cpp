#include "entrain/comm/local.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>

#include "entrain/comm/row_exchange.h"
#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"

namespace entrain {
namespace {

// Done in wait(), so that the time it takes is counted as a transport's would be.
class LocalExchange : public Exchange {
 public:
  explicit LocalExchange(std::function<void()> work) : work_(std::move(work)) {}
  bool done() override { return true; }
  void wait() override { work_(); }
  double finished_at() const override { return 0; }

 private:
  std::function<void()> work_;
};

// All that is sent is received here.
class Alone : public Channel {
 public:
  void exchange(const std::vector<Piece>& in, const std::vector<Piece>& out) override {
    for (std::size_t k = 0; k < out.size(); ++k) in[k].values.copy_(out[k].values);
  }
};

class Local : public Communicator {
 public:
  Local(int workers, Team* team) : workers_(workers), team_(team) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_workers() const override { return workers_; }

  std::unique_ptr<Exchange> launch_mean(const at::Tensor& rows, const at::Tensor& mean) override {
    check_exchange(rows, mean, workers_, 1);
    return std::make_unique<LocalExchange>([this, rows, mean] {
      in_parts(rows.size(1), [&](std::int64_t begin, std::int64_t end) {
        tree_mean(rows, begin, end, workers_, mean);
      });
    });
  }

  std::unique_ptr<Exchange> launch_mix(const at::Tensor& rows, const at::Tensor& mixed,
                                       std::shared_ptr<const Mixing> mixing) override {
    check_exchange(rows, mixed, workers_, workers_);
    return std::make_unique<LocalExchange>([this, rows, mixed, mixing] {
      const std::vector<at::Tensor> all = rows.unbind(0);
      in_parts(rows.size(1), [&](std::int64_t begin, std::int64_t end) {
        mix_rows(members(), *mixing, all, begin, end, mixed);
      });
    });
  }

  std::unique_ptr<Exchange> launch(Job job) override {
    return std::make_unique<LocalExchange>([run = std::move(job.run)] {
      Alone alone;
      run(alone);
    });
  }

  std::vector<std::string> gather(const std::string& bytes) override { return {bytes}; }
  std::int64_t wire_bytes_sent() const override { return 0; }

 private:
  // Calls part(begin, end) for shares of the columns, on the threads of the team.
  void in_parts(std::int64_t columns,
                const std::function<void(std::int64_t, std::int64_t)>& part) const {
    const int parts = team_ ? team_->threads() : 1;
    const std::int64_t width = (columns / parts + 63) / 64 * 64;
    const auto one = [&](int i) {
      const std::int64_t begin = std::min(columns, i * width);
      part(begin, i + 1 == parts ? columns : std::min(columns, begin + width));
    };
    if (team_) {
      team_->each(parts, one);
    } else {
      one(0);
    }
  }

  int workers_;
  Team* team_;
};

}  // namespace

void check_exchange(const at::Tensor& rows, const at::Tensor& result, int local_workers,
                    int result_rows) {
  ENTRAIN_CHECK(rows.dim() == 2 && rows.size(0) == local_workers && rows.stride(1) == 1);
  ENTRAIN_CHECK(result.dim() == 2 && result.size(0) == result_rows);
  ENTRAIN_CHECK(result.size(1) == rows.size(1));
  ENTRAIN_CHECK(rows.scalar_type() == at::kFloat || rows.scalar_type() == at::kDouble);
  ENTRAIN_CHECK(result.is_contiguous() && result.scalar_type() == rows.scalar_type());
}

std::unique_ptr<Communicator> local_communicator(int workers, Team* team) {
  if (workers < 1) throw UsageError(fmt::format("workers = {}: must be at least 1", workers));
  return std::make_unique<Local>(workers, team);
}

}  // namespace entrain
