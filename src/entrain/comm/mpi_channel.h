#pragma once

#include <atomic>
#include <functional>

#include "entrain/comm/communicator.h"
#include "entrain/comm/mpi_flow.h"
#include "entrain/comm/mpi_world.h"

namespace entrain {

/// The exchanges of one communicator on MPI's thread. Calls come from there, but for bytes_sent().
///
/// Messages of an exchange carry a tag made of its number and form, so that ranks that take an
/// exchange to be different things never take in each other's messages: they wait, and say in notes
/// what they wait for.
class MpiChannel : public Channel {
 public:
  /// `patience`: how long a rank that is waited for may give no sign of life.
  MpiChannel(MpiWorld& world, const std::atomic<bool>& lost, std::chrono::milliseconds patience)
      : world_(world),
        lost_(lost),
        roll_(world.notes(), patience),
        communicator_(world.next_communicator()) {}

  int communicator() const { return communicator_; }

  /// On long links all parts of an exchange go at once.
  void pace(bool paced) { paced_ = paced; }

  /// Runs `work`, which is exchange `number` and of that form. Throws CommunicationError if another
  /// rank gave up, gives no sign of life or takes the exchange to be something else, and when
  /// `lost` is set.
  void run(std::int64_t number, const std::string& form, const std::function<void()>& work);

  void exchange(const std::vector<Piece>& in, const std::vector<Piece>& out) override {
    exchange_in_steps({{in, out}}, 1);
  }
  void exchange_in_steps(const std::vector<Step>& steps, int at_once) override;

  std::int64_t bytes_sent() const { return bytes_sent_; }  ///< Payload, on any thread.

 private:
  MpiFlow::Begin receive() const;
  MpiFlow::Begin send();
  void wait_until(const std::function<bool()>& over, MpiFlow& in, MpiFlow& out);
  void look(const std::set<int>& awaited);
  void compare();
  void require_present(const std::set<int>& awaited);

  MpiWorld& world_;
  const std::atomic<bool>& lost_;
  MpiRollCall roll_;
  int communicator_, tag_ = 0;
  std::int64_t number_ = 0;
  std::map<std::int64_t, std::string> forms_;        // of the last exchanges, by number
  std::chrono::steady_clock::time_point began_;      // this exchange
  std::chrono::steady_clock::time_point next_look_;  // whatever exchange is under way then
  bool told_ = false, paced_ = true;
  std::atomic<std::int64_t> bytes_sent_{0};
};

}  // namespace entrain
