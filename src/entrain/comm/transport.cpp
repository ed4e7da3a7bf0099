#include "entrain/comm/transport.h"

#include "entrain/comm/c10d.h"
#include "entrain/comm/job_place.h"
#include "entrain/comm/mpi.h"
#include "entrain/core/errors.h"

namespace entrain {

namespace {

// Bytes; of less a ring is no faster than direct exchange (docs/results/comm.md).
constexpr std::int64_t kBucket = 4 << 20, kLongBucket = 32 << 20;

}  // namespace

Place place_for(Via via, const std::map<std::string, std::string>& environment) {
  if (via == Via::gloo) return place_from(environment);
  require_mpi();
  return mpi_place(environment);
}

std::unique_ptr<Communicator> join_processes(const Place& place, const TransportOptions& options) {
  return options.via == Via::mpi ? mpi_communicator(place, options)
                                 : c10d_communicator(place, options);
}

std::optional<std::int64_t> bucket_bytes_for(int processes, bool long_links) {
  if (processes == 1) return {};
  return long_links ? kLongBucket : kBucket;
}

std::string form_of(const char* what, const at::Tensor& rows) {
  return fmt::format("a {} of {} x {}", what, rows.size(1), c10::toString(rows.scalar_type()));
}

}  // namespace entrain
