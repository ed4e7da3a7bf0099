#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "entrain/comm/communicator.h"
#include "entrain/comm/place.h"

namespace entrain {

/// What a PyTorch process beside each rank runs as.
struct PeerOptions {
  std::string python = "auto";  ///< "auto": /usr/bin/python3 if it has torch; "none".
  int threads = 1;
  std::int64_t batch = 64;
};

/// A PyTorch process beside this rank, of the same scheduling class, BLAS and threads. It waits for
/// lines without using the processor.
class Peer {
 public:
  /// Starts one beside every rank. Collective. None where `python` is "none", or is "auto" and a
  /// rank has no torch. Throws RunError if a Python that was named does not work.
  static std::unique_ptr<Peer> start(const PeerOptions& options, const Place& place,
                                     Communicator& comm);
  ~Peer();

  struct Timing {
    double seconds, cpu_seconds;  ///< Of all `steps`, of this rank.
  };

  /// Runs `warm` steps and then `steps` of a model and method (bench/peers/ddp.py). Collective.
  /// Throws RunError if the process has ended.
  Timing measure(const std::string& model, const std::string& method, std::int64_t warm,
                 std::int64_t steps);

  void forget();  ///< The models so far.

 private:
  Peer(const PeerOptions& options, const Place& place, const std::string& meeting);
  std::optional<std::string> read_line();
  void write_line(const std::string& line);

  pid_t pid_ = -1;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> in_, out_;
};

/// A model's text in the words of the peer, or nothing if the peer has no such model.
std::optional<std::string> peer_model(const std::string& text);

}  // namespace entrain
