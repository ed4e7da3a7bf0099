#include "entrain/core/errors.h"

namespace entrain {

void broken_invariant(const char* file, int line, const char* condition) {
  throw std::logic_error(fmt::format(
      "{}:{}: a defect of entrain: {} does not hold; please report it with the command you ran",
      file, line, condition));
}

}  // namespace entrain
