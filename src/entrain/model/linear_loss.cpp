#include "entrain/model/linear_loss.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "entrain/core/vectorised.h"

namespace entrain {
namespace {

using Index = std::int64_t;

// e^a = 2^n e^r with |r| <= ln(2)/2, the latter by its series; n from the last bits of a sum, so
// that all of it vectorises. REQUIRES: a <= 0.
[[gnu::always_inline]] inline double exponential(double a) {
  constexpr double shift = 0x1.8p52, least = -708;
  constexpr double ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
  a = a < least ? least : a;
  const double shifted = a * 0x1.71547652b82fep+0 + shift;
  const double n = shifted - shift;
  const double r = (a - n * ln2_high) - n * ln2_low;
  double series = 1.0 / 6227020800;
  series = series * r + 1.0 / 479001600;
  series = series * r + 1.0 / 39916800;
  series = series * r + 1.0 / 3628800;
  series = series * r + 1.0 / 362880;
  series = series * r + 1.0 / 40320;
  series = series * r + 1.0 / 5040;
  series = series * r + 1.0 / 720;
  series = series * r + 1.0 / 120;
  series = series * r + 1.0 / 24;
  series = series * r + 1.0 / 6;
  series = series * r + 0.5;
  series = series * r * r + r + 1;
  const std::uint64_t power = (std::bit_cast<std::uint64_t>(shifted) + 1023) << 52;
  return series * std::bit_cast<double>(power);
}

// sum_k ln(factors[k]) by one logarithm: the product of 512 factors up to 2 is below 2^512.
// Each factor 1 + e adds a rounding of 1e-16, as does each term of a sum of logarithms.
constexpr Index lanes = 8, most_factors = losses_at_once(Loss::logistic);

[[gnu::always_inline]] inline double sum_of_logarithms(const double* factors, Index count) {
  double products[lanes] = {1, 1, 1, 1, 1, 1, 1, 1};
  Index k = 0;
  for (; k + lanes <= count; k += lanes) {
    for (Index l = 0; l < lanes; ++l) products[l] *= factors[k + l];
  }
  for (Index l = 0; k + l < count; ++l) products[l] *= factors[k + l];
  double product = 1;
  for (const double one : products) product *= one;
  return std::log(product);
}

[[gnu::always_inline]] inline double sum_of(const double* terms, Index count) {
  double sums[lanes] = {};
  Index k = 0;
  for (; k + lanes <= count; k += lanes) {
    for (Index l = 0; l < lanes; ++l) sums[l] += terms[k + l];
  }
  for (Index l = 0; k + l < count; ++l) sums[l] += terms[k + l];
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum;
}

// ln(1 + exp(-m)) = max(-m, 0) + ln(1 + exp(-|m|)), m = y s.
ENTRAIN_VECTORISED double logistic_derivatives(Index count, const double* __restrict scores,
                                               const double* __restrict labels,
                                               double* __restrict slopes) {
  double factors[loss_chunk], lines[loss_chunk];
  for (Index k = 0; k < count; ++k) {
    const double margin = labels[k] * scores[k];
    const double e = exponential(-std::abs(margin));
    const double factor = 1 + e;
    factors[k] = factor;
    lines[k] = margin < 0 ? -margin : 0;
    slopes[k] = -labels[k] * ((margin < 0 ? 1 : e) / factor);
  }
  return sum_of(lines, count) + sum_of_logarithms(factors, count);
}

ENTRAIN_VECTORISED double logistic_losses(Index count, const double* __restrict scores,
                                          const double* __restrict labels) {
  double factors[most_factors], lines[most_factors];
  for (Index k = 0; k < count; ++k) {
    const double margin = labels[k] * scores[k];
    factors[k] = 1 + exponential(-std::abs(margin));
    lines[k] = margin < 0 ? -margin : 0;
  }
  return sum_of(lines, count) + sum_of_logarithms(factors, count);
}

double squared_derivatives(Index count, const double* scores, const double* labels,
                           double* slopes) {
  double sum = 0;
  for (Index k = 0; k < count; ++k) {
    slopes[k] = scores[k] - labels[k];
    sum += slopes[k] * slopes[k] / 2;
  }
  return sum;
}

double squared_losses(Index count, const double* scores, const double* labels) {
  double sum = 0;
  for (Index k = 0; k < count; ++k) sum += (scores[k] - labels[k]) * (scores[k] - labels[k]) / 2;
  return sum;
}

// The probabilities, and what the logarithm of the sum of exponentials is.
ENTRAIN_VECTORISED void probabilities_of(Index count, Index classes,
                                         const double* __restrict scores,
                                         double* __restrict probabilities,
                                         double* __restrict logarithms) {
  double largest[loss_chunk], sums[loss_chunk];
  for (Index k = 0; k < count; ++k) {
    largest[k] = scores[k];
    sums[k] = 0;
  }
  for (Index c = 1; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) {
      const double score = scores[c * count + k];
      largest[k] = score > largest[k] ? score : largest[k];
    }
  }
  for (Index c = 0; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) {
      const double e = exponential(scores[c * count + k] - largest[k]);
      probabilities[c * count + k] = e;
      sums[k] += e;
    }
  }
  for (Index c = 0; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) probabilities[c * count + k] /= sums[k];
  }
  for (Index k = 0; k < count; ++k) logarithms[k] = largest[k] + std::log(sums[k]);
}

double softmax_derivatives(Index count, Index classes, const double* scores, const double* labels,
                           double* slopes) {
  double logarithms[loss_chunk], sum = 0;
  probabilities_of(count, classes, scores, slopes, logarithms);
  for (Index k = 0; k < count; ++k) {
    const Index own = static_cast<Index>(labels[k]) * count + k;
    sum += logarithms[k] - scores[own];
    slopes[own] -= 1;
  }
  return sum;
}

double softmax_losses(Index count, Index classes, const double* scores, const double* labels) {
  double largest[loss_chunk], exponents[loss_chunk], sums[loss_chunk] = {};
  std::copy_n(scores, count, largest);
  for (Index c = 1; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) largest[k] = std::max(largest[k], scores[c * count + k]);
  }
  for (Index c = 0; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) exponents[k] = scores[c * count + k] - largest[k];
    exponentials(count, exponents, exponents);
    for (Index k = 0; k < count; ++k) sums[k] += exponents[k];
  }
  double sum = 0;
  for (Index k = 0; k < count; ++k) {
    sum += std::log(sums[k]) + largest[k] - scores[static_cast<Index>(labels[k]) * count + k];
  }
  return sum;
}

}  // namespace

ENTRAIN_VECTORISED void exponentials(Index count, const double* a, double* out) {
  for (Index k = 0; k < count; ++k) out[k] = exponential(a[k]);
}

double derivatives(Loss loss, Index count, Index classes, const double* scores,
                   const double* labels, double* slopes) {
  if (loss == Loss::logistic) return logistic_derivatives(count, scores, labels, slopes);
  if (loss == Loss::squared) return squared_derivatives(count, scores, labels, slopes);
  return softmax_derivatives(count, classes, scores, labels, slopes);
}

double sum_of_losses(Loss loss, Index count, Index classes, const double* scores,
                     const double* labels) {
  if (loss == Loss::logistic) return logistic_losses(count, scores, labels);
  if (loss == Loss::squared) return squared_losses(count, scores, labels);
  return softmax_losses(count, classes, scores, labels);
}

void curvatures(Loss loss, Index count, Index classes, const double* scores, double* curvature) {
  if (loss == Loss::squared) return;
  double logarithms[loss_chunk];
  if (loss == Loss::softmax) return probabilities_of(count, classes, scores, curvature, logarithms);
  for (Index k = 0; k < count; ++k) curvature[k] = -std::abs(scores[k]);
  exponentials(count, curvature, curvature);
  for (Index k = 0; k < count; ++k) curvature[k] /= (1 + curvature[k]) * (1 + curvature[k]);
}

void curved(Loss loss, Index count, Index classes, const double* curvature, double* change) {
  if (loss == Loss::squared) return;
  if (loss == Loss::logistic) {
    for (Index k = 0; k < count; ++k) change[k] *= curvature[k];
    return;
  }
  double means[loss_chunk] = {};
  for (Index c = 0; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) means[k] += curvature[c * count + k] * change[c * count + k];
  }
  for (Index c = 0; c < classes; ++c) {
    for (Index k = 0; k < count; ++k) {
      change[c * count + k] = curvature[c * count + k] * (change[c * count + k] - means[k]);
    }
  }
}

}  // namespace entrain
