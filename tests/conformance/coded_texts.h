#pragma once

#include <string>
#include <vector>

/// Methods with small messages, by fragments or by push-sum, that coded_test.cpp runs against
/// loops.
inline std::vector<std::string> coded_texts() {
  return {"powersgd(3)",
          "qsgd",
          "ef_sign",
          "local_ef_sign(4)",
          "diloco(4, 0.7, 0.9, int4)",
          "diloco(4, 0.7, 0.9, error_feedback(fp4))",
          "streaming_diloco(6, fragments=2, tau=1, alpha=0.5)",
          "sgp(ring)"};
}
