#pragma once

#include <cstdint>

namespace entrain {

/// What a linear model pays for its scores of a sample.
enum class Loss {
  logistic,  ///< ln(1 + exp(-y s)), y = -1 or 1
  squared,   ///< (s - y)^2 / 2
  softmax    ///< ln(sum_c exp(s_c)) - s_y, y a class from 0
};

/// The most samples that derivatives(), curvatures() and curved() take at once.
constexpr std::int64_t loss_chunk = 64;

/// The loss over `count` samples and its scores' derivatives. `scores` and `slopes` are [classes,
/// count], a class behind the other (one where the loss is no softmax); `labels` [count]. Returns
/// the sum of the losses; each one is good to 2e-16 (1 + itself). Of samples in different chunks
/// the figures do not depend on each other.
double derivatives(Loss loss, std::int64_t count, std::int64_t classes, const double* scores,
                   const double* labels, double* slopes);

/// The most samples that sum_of_losses() takes at once.
constexpr std::int64_t losses_at_once(Loss loss) {
  return loss == Loss::softmax ? loss_chunk : 8 * loss_chunk;
}

/// The sum of the losses alone, over `count` <= losses_at_once() samples.
double sum_of_losses(Loss loss, std::int64_t count, std::int64_t classes, const double* scores,
                     const double* labels);

/// What the second derivative at `scores` needs: fills `curvature` [classes, count].
void curvatures(Loss loss, std::int64_t count, std::int64_t classes, const double* scores,
                double* curvature);

/// The second derivative times a change of the scores; `change` [classes, count] becomes it.
void curved(Loss loss, std::int64_t count, std::int64_t classes, const double* curvature,
            double* change);

/// out[k] = exp(a[k]), to a relative error of 5e-16, for a <= 0; exp(-708) for what is below.
/// `out` may be `a`.
void exponentials(std::int64_t count, const double* a, double* out);

}  // namespace entrain
