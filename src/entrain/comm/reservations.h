#pragma once

#include <map>

namespace entrain {

/// When something that serves one after the other is busy. Time that an earlier call left free is
/// taken by later ones, piece by piece.
class Reservations {
 public:
  /// Takes the first `seconds` that are free from `ready` on; when they are over.
  double take(double ready, double seconds);

  /// Nothing will be ready before `time`.
  void forget_before(double time);

 private:
  std::map<double, double> busy_;  // begin to end; none reaches into another
};

}  // namespace entrain
