#pragma once

#include <vector>

namespace entrain {

/// Who averages with whom: the new row of worker i is the sum of weight x row over its terms.
struct Mixing {
  struct Term {
    int worker;
    double weight;
    bool operator==(const Term&) const = default;
  };
  std::vector<std::vector<Term>> rows;  ///< [n]; the terms of a row in the order of workers.
  double messages = 0;  ///< That a worker sends, on average, if each is alone on its host.
  int group = 0;        ///< Workers in a group, if these are means over groups of consecutive ones.
};

}  // namespace entrain
