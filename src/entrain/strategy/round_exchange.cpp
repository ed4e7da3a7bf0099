#include "entrain/strategy/round_exchange.h"

#include <ATen/ATen.h>

namespace entrain {

std::shared_ptr<Coder> coder_for(const Codec& codec, const Rows& rows,
                                 const std::vector<Span>& columns) {
  if (codec.exact()) return nullptr;
  return std::make_shared<Coder>(codec, tensors_of(rows.layout(), columns), rows.workers(),
                                 rows.layout().type);
}

void resize_result(const Mixings& mixings, const at::Tensor& rows, at::Tensor& result) {
  const std::vector<std::int64_t> sizes = {mixings.empty() ? 1 : rows.size(0), rows.size(1)};
  if (!result.defined() || result.sizes() != at::IntArrayRef(sizes)) {
    result = at::empty(sizes, rows.options());
  }
}

std::unique_ptr<Exchange> launch_exchange(Communicator& comm, const Mixings& mixings,
                                          std::int64_t turn, const at::Tensor& rows,
                                          const at::Tensor& result, Coder* coder,
                                          LosslessMean* lossless) {
  const auto mixing =
      mixings.empty() ? nullptr : mixings[turn % static_cast<std::int64_t>(mixings.size())];
  if (coder) return coder->launch(comm, mixing, rows, result);
  if (mixing) return comm.launch_mix(rows, result, mixing);
  return lossless ? lossless->launch(comm, rows, result) : comm.launch_mean(rows, result);
}

double seconds_waited(const Communicator& comm, Exchange& exchange) {
  const double begin = comm.now();
  exchange.wait();
  return comm.now() - begin;
}

}  // namespace entrain
