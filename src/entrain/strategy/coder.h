#pragma once

#include <optional>

#include "entrain/comm/communicator.h"
#include "entrain/strategy/codec.h"
#include "entrain/strategy/low_rank.h"
#include "entrain/strategy/message_tensors.h"

namespace entrain {

/// Payload that each of n workers sends for a message of these tensors in the form of `codec`, as
/// if it were alone on its host. `messages`: of a topology other than everyone (messages_of).
double coded_bytes(const Codec& codec, const MessageTensors& tensors, std::int64_t item, int n,
                   std::optional<double> messages);

/// Exchanges messages in the form of a codec, and keeps what a round leaves for the next: errors,
/// factors, the number of the round.
class Coder : public std::enable_shared_from_this<Coder> {
 public:
  /// `codec` is not exact. `workers`: those of this process.
  Coder(Codec codec, MessageTensors tensors, std::int64_t workers, at::ScalarType type);

  /// Starts averaging (`mixing` null) or mixing `rows` [w, m] into `result` [1 or w, m]. The
  /// columns of the tensors are coded, those behind them travel exactly. m = Q2(mean_i Q1(v_i +
  /// e_i) + r).
  std::unique_ptr<Exchange> launch(Communicator& comm, std::shared_ptr<const Mixing> mixing,
                                   const at::Tensor& rows, const at::Tensor& result);

  /// The exchange has landed: what it did not send is kept, if the codec feeds it back. Where it
  /// failed, this is not called, and everything stays as it was.
  void landed();

  const at::Tensor& errors() const { return errors_; }          ///< e [w, m]; undefined: none.
  const at::Tensor& mean_error() const { return mean_error_; }  ///< r, of this process's blocks.

 private:
  void average_blocks(Channel& channel, const Members& members, const at::Tensor& result);
  void average_rows(Channel& channel, const Members& members, const at::Tensor& result);
  void mix_blocks(Channel& channel, const Members& members, const Mixing& mixing,
                  const at::Tensor& result);
  Draw draw(int worker) const;

  Codec codec_;
  MessageTensors tensors_;
  at::Tensor values_;                        // [w, m]: v + e, then what is left of it
  at::Tensor errors_;                        // [w, m]
  at::Tensor mean_error_, next_mean_error_;  // [1, m], of which this process has its share
  std::optional<LowRank> low_rank_;
  std::uint32_t round_ = 0;
};

}  // namespace entrain
