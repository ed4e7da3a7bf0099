#pragma once

#include <mpi.h>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace entrain {

/// What a process tells others, past the exchanges.
struct MpiNote {
  enum class Kind { form, gave_up, leaving, question, answer } kind;
  int communicator = 0;     ///< Its number among those of the process, from 1; 0: all of them.
  std::int64_t number = 0;  ///< Of an exchange.
  std::string text = {};    ///< Of a form.
};

/// The notes of this process and those of the others. Calls come from MPI's thread.
class MpiNotes {
 public:
  struct Form {
    std::int64_t number;
    std::string text;
  };

  /// Collective.
  void start(MPI_Comm parent);

  void tell(const MpiNote& note);
  /// Asks these ranks for a sign of life.
  void ask(const std::set<int>& ranks);
  /// Takes in what has come, and answers questions. Nothing before start() and after end().
  void read();
  /// MPI will end.
  void end() { comm_ = MPI_COMM_NULL; }

  using Clock = std::chrono::steady_clock;
  /// When the last note of that rank came; long ago if none has.
  Clock::time_point heard(int rank) const;

  /// Ranks that gave up in that communicator, or end as processes that failed.
  std::set<int> gave_up(int communicator) const;
  /// Ranks that end, well or not: they have sent what they had to.
  const std::set<int>& leaving() const { return leaving_; }
  /// Whether nobody gave up anything.
  bool whole() const { return gave_up_.empty(); }
  /// What each rank last took an exchange to be, of those that waited long.
  const std::map<int, Form>& forms(int communicator) { return forms_[communicator]; }

 private:
  struct Sent {
    std::string bytes;
    MPI_Request request;
  };
  void send(int rank, const std::string& bytes);
  void take(int rank, const std::string& bytes);

  MPI_Comm comm_ = MPI_COMM_NULL;
  std::deque<Sent> sent_;
  std::map<int, Clock::time_point> heard_;
  std::map<int, std::set<int>> gave_up_;
  std::set<int> leaving_;
  std::map<int, std::map<int, Form>> forms_;
};

/// Finds out who of those that are waited for no longer lives, by questions and answers: whatever a
/// process computes, its MPI thread answers.
class MpiRollCall {
 public:
  /// `patience`: how long a rank may give no sign of life.
  MpiRollCall(MpiNotes& notes, std::chrono::milliseconds patience)
      : notes_(notes), patience_(patience) {}

  /// A wait begins, or something came: nobody is asked for a second.
  void moved() { moved_ = MpiNotes::Clock::now(); }
  MpiNotes::Clock::time_point last_moved() const { return moved_; }

  /// Those of `awaited` that gave no sign of life for the patience. To be called often: where it
  /// was not for a second, this process itself stood still, and patience begins anew.
  std::set<int> silent(const std::set<int>& awaited);

  std::chrono::milliseconds patience() const { return patience_; }

 private:
  MpiNotes& notes_;
  std::chrono::milliseconds patience_;
  MpiNotes::Clock::time_point moved_ = MpiNotes::Clock::now(), called_ = moved_, next_ = moved_;
  std::optional<MpiNotes::Clock::time_point> asked_;  // first, since something moved
};

}  // namespace entrain
