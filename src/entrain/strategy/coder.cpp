#include "entrain/strategy/coder.h"

#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "entrain/comm/metered.h"
#include "entrain/comm/row_exchange.h"
#include "entrain/comm/sum.h"
#include "entrain/core/errors.h"
#include "entrain/core/seeds.h"

namespace entrain {
namespace {

// The columns of a message that each of P processes owns: whole blocks, as even as these allow.
class Ownership {
 public:
  Ownership(std::int64_t columns, std::int64_t block, int processes)
      : columns_(columns),
        width_((columns + block * processes - 1) / (block * processes) * block) {}
  std::int64_t begin(int process) const { return std::min(columns_, process * width_); }
  std::int64_t count(int process) const { return begin(process + 1) - begin(process); }
  std::int64_t width() const { return width_; }

 private:
  std::int64_t columns_, width_;
};

std::uint8_t* bytes_of(const at::Tensor& tensor, std::int64_t row) {
  return tensor[row].data_ptr<std::uint8_t>();
}

// Shares of `rows` rows each, one after the other, for or from each of the processes.
std::vector<Piece> share_pieces(const at::Tensor& shares, int processes) {
  std::vector<Piece> pieces;
  const std::int64_t rows = shares.size(0) / processes;
  for (int p = 0; p < processes; ++p) pieces.push_back({p, shares.narrow(0, p * rows, rows)});
  return pieces;
}

std::vector<Piece> to_all(const at::Tensor& message, int processes) {
  std::vector<Piece> pieces;
  for (int p = 0; p < processes; ++p) pieces.push_back({p, message});
  return pieces;
}

at::Tensor byte_rows(std::int64_t rows, std::int64_t bytes) {
  return at::zeros({rows, bytes}, at::kByte);
}

template <class Codec>
void encode(const Codec& codec, const at::Tensor& row, std::int64_t begin, std::int64_t count,
            const Draw& draw, std::uint8_t* code) {
  AT_DISPATCH_FLOATING_TYPES(row.scalar_type(), "encode", [&] {
    codec.encode(row.data_ptr<scalar_t>() + begin, count, begin, draw, code);
  });
}

void decode(const BlockCodec& codec, const std::uint8_t* code, std::int64_t count,
            const at::Tensor& row, std::int64_t begin) {
  AT_DISPATCH_FLOATING_TYPES(row.scalar_type(), "decode",
                             [&] { codec.decode(code, count, row.data_ptr<scalar_t>() + begin); });
}

// The mean of the rows of all processes in the form of a block codec: shares of all rows go to
// their owner, who decodes and averages them, and the mean of each share goes to all. `rows` [w, m]
// is left with what was not sent; so is `error` [1, m], added to the mean before it is coded, if it
// is defined.
void block_mean(Channel& channel, const Members& members, const BlockCodec& codec,
                const BlockCodec& back, const std::function<Draw(int)>& draw,
                const at::Tensor& rows, const at::Tensor& error, const at::Tensor& mean) {
  const int processes = members.size;
  const std::int64_t workers = rows.size(0), item = rows.element_size();
  const Ownership owned(rows.size(1), std::max(codec.block(), back.block()), processes);
  const at::Tensor out = byte_rows(processes * workers, codec.bytes(owned.width(), item));
  const at::Tensor in = at::empty_like(out);
  for (int p = 0; p < processes; ++p) {
    for (std::int64_t i = 0; i < workers; ++i) {
      encode(codec, rows[i], owned.begin(p), owned.count(p),
             draw(members.first_worker() + static_cast<int>(i)), bytes_of(out, p * workers + i));
    }
  }
  channel.exchange(share_pieces(in, processes), share_pieces(out, processes));
  const std::int64_t begin = owned.begin(members.rank), count = owned.count(members.rank);
  const at::Tensor decoded = at::empty({in.size(0), count}, rows.options());
  for (std::int64_t i = 0; i < in.size(0); ++i) {
    decode(codec, bytes_of(in, i), count, decoded[i], 0);
  }
  const at::Tensor share = at::empty({1, count}, rows.options());
  tree_mean(decoded, 0, count, members.workers(), share);
  if (error.defined()) share.add_(error.narrow(1, begin, count));
  const at::Tensor coded = byte_rows(1, back.bytes(owned.width(), item));
  encode(back, share[0], 0, count, {}, bytes_of(coded, 0));
  if (error.defined()) error.narrow(1, begin, count).copy_(share);
  const at::Tensor shares = byte_rows(processes, coded.size(1));
  channel.exchange(share_pieces(shares, processes), to_all(coded, processes));
  for (int p = 0; p < processes; ++p) {
    decode(back, bytes_of(shares, p), owned.count(p), mean[0], owned.begin(p));
  }
}

void exact_mean(Channel& channel, const Members& members, const at::Tensor& rows,
                const at::Tensor& mean) {
  if (rows.size(1) == 0) return;
  const auto raw = raw_codec();
  block_mean(
      channel, members, *raw, *raw, [](int) { return Draw(); }, rows.clone(), {}, mean);
}

}  // namespace

double coded_bytes(const Codec& codec, const MessageTensors& tensors, std::int64_t item, int n,
                   std::optional<double> messages) {
  const auto columns = static_cast<double>(tensors.columns);
  const double others = n - 1;
  if (codec.blocks) {
    const auto there = static_cast<double>(codec.blocks->bytes(tensors.columns, item));
    if (messages) return *messages * there;
    const double back = codec.codes_mean ? there : columns * static_cast<double>(item);
    return others / n * (there + back);
  }
  if (codec.rows) {
    return others * static_cast<double>(codec.rows->bytes(tensors.columns, tensors.spans, item));
  }
  double numbers = columns;
  for (const auto& matrix : low_rank_matrices(tensors, codec)) {
    numbers -= static_cast<double>(matrix.rows * matrix.columns);
    numbers += static_cast<double>((matrix.rows + matrix.columns) * codec.rank);
  }
  return everyone_bytes(n, numbers * static_cast<double>(item));
}

Coder::Coder(Codec codec, MessageTensors tensors, std::int64_t workers, at::ScalarType type)
    : codec_(std::move(codec)), tensors_(std::move(tensors)) {
  const auto options = at::TensorOptions().dtype(type);
  values_ = at::zeros({workers, tensors_.columns}, options);
  if (codec_.feedback) {
    errors_ = at::zeros_like(values_);
    if (codec_.codes_mean) mean_error_ = at::zeros({1, tensors_.columns}, options);
  }
  if (codec_.rank > 0) low_rank_.emplace(codec_, tensors_, type);
}

Draw Coder::draw(int worker) const {
  return {codec_.seed, static_cast<std::uint32_t>(worker), round_};
}

std::unique_ptr<Exchange> Coder::launch(Communicator& comm, std::shared_ptr<const Mixing> mixing,
                                        const at::Tensor& rows, const at::Tensor& result) {
  const std::int64_t coded = tensors_.columns, item = rows.element_size();
  values_.copy_(rows.narrow(1, 0, coded));
  if (errors_.defined()) values_.add_(errors_);
  const at::Tensor tail = rows.narrow(1, coded, rows.size(1) - coded).clone();
  const bool whole = tail.size(1) == 0;
  const at::Tensor head = whole ? result : at::empty({result.size(0), coded}, result.options());
  const double messages = mixing ? mixing->messages : everyone_bytes(comm.workers(), 1);
  Job job;
  job.form = fmt::format("{} of {} x {}", print(codec_.text), rows.size(1),
                         c10::toString(rows.scalar_type()));
  job.bytes_sent_per_worker = coded_bytes(codec_, tensors_, item, comm.workers(),
                                          mixing ? std::optional(mixing->messages) : std::nullopt) +
                              messages * static_cast<double>(tail.size(1) * item);
  job.mixing = mixing;
  job.run = [self = shared_from_this(), members = comm.members(), mixing, tail, head, result, coded,
             whole](Channel& channel) {
    const at::NoGradGuard no_grad;
    if (mixing) {
      self->mix_blocks(channel, members, *mixing, head);
    } else if (self->codec_.blocks) {
      self->average_blocks(channel, members, head);
    } else if (self->codec_.rows) {
      self->average_rows(channel, members, head);
    } else {
      self->low_rank_->average(self->values_, head,
                               [&](const at::Tensor& rows, const at::Tensor& mean) {
                                 exact_mean(channel, members, rows, mean);
                               });
    }
    if (whole) return;
    result.narrow(1, 0, coded).copy_(head);
    const at::Tensor rest = at::empty({result.size(0), tail.size(1)}, tail.options());
    if (mixing) {
      mix(channel, members, *mixing, tail, rest);
    } else {
      exact_mean(channel, members, tail, rest);
    }
    result.narrow(1, coded, tail.size(1)).copy_(rest);
  };
  return comm.launch(std::move(job));
}

void Coder::average_blocks(Channel& channel, const Members& members, const at::Tensor& result) {
  const auto raw = raw_codec();
  next_mean_error_ = mean_error_.defined() ? mean_error_.clone() : at::Tensor();
  block_mean(
      channel, members, *codec_.blocks, codec_.codes_mean ? *codec_.blocks : *raw,
      [this](int worker) { return draw(worker); }, values_, next_mean_error_, result);
}

// The rows are small when coded: each goes to all, who add them up in the order of workers.
void Coder::average_rows(Channel& channel, const Members& members, const at::Tensor& result) {
  const std::int64_t workers = values_.size(0), columns = tensors_.columns;
  const std::int64_t item = values_.element_size();
  const std::int64_t bytes = codec_.rows->bytes(columns, tensors_.spans, item);
  const at::Tensor out = byte_rows(workers, bytes);
  const at::Tensor in = byte_rows(members.size * workers, bytes);
  for (std::int64_t i = 0; i < workers; ++i) {
    AT_DISPATCH_FLOATING_TYPES(values_.scalar_type(), "encode_row", [&] {
      codec_.rows->encode(values_[i].data_ptr<scalar_t>(), columns, tensors_.spans,
                          draw(members.first_worker() + static_cast<int>(i)), bytes_of(out, i));
    });
  }
  channel.exchange(share_pieces(in, members.size), to_all(out, members.size));
  const at::Tensor sums = at::zeros({1, columns}, at::kDouble);
  for (int worker = 0; worker < members.workers(); ++worker) {
    codec_.rows->add(bytes_of(in, worker), columns, tensors_.spans, draw(worker), item,
                     sums.data_ptr<double>());
  }
  result.copy_(sums.div_(members.workers()));
}

void Coder::mix_blocks(Channel& channel, const Members& members, const Mixing& mixing,
                       const at::Tensor& result) {
  const std::int64_t columns = tensors_.columns;
  const at::Tensor codes =
      byte_rows(values_.size(0), codec_.blocks->bytes(columns, values_.element_size()));
  for (std::int64_t i = 0; i < values_.size(0); ++i) {
    encode(*codec_.blocks, values_[i], 0, columns,
           draw(members.first_worker() + static_cast<int>(i)), bytes_of(codes, i));
  }
  std::vector<at::Tensor> rows = exchange_rows(channel, members, mixing, codes);
  for (at::Tensor& row : rows) {
    if (!row.defined()) continue;
    const at::Tensor decoded = at::empty({columns}, values_.options());
    decode(*codec_.blocks, row.data_ptr<std::uint8_t>(), columns, decoded, 0);
    row = decoded;
  }
  mix_rows(members, mixing, rows, 0, columns, result);
}

void Coder::landed() {
  if (codec_.feedback) std::swap(errors_, values_);
  if (next_mean_error_.defined()) std::swap(mean_error_, next_mean_error_);
  if (low_rank_) low_rank_->landed();
  ++round_;
}

}  // namespace entrain
