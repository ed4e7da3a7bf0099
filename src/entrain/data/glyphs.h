#pragma once

#include <cstdint>

#include "entrain/data/dataset.h"

namespace entrain {

/// Draws *glyphs*, a data set that needs no files: ten shapes (circle, square, triangle, cross,
/// plus, arrow, zigzag, spiral, L, T) as grey 28x28 images, each at a random place, angle, size,
/// shear, stroke width and contrast, with noise and a few strokes that belong to no shape. It
/// separates models: a linear one gets about half of the test set right, a small CNN nearly all.
///
/// `train` and `test` are numbers of samples. Sample i has label i % 10 and is a pure function of i
/// and of which part it is in, so that a smaller set is the beginning of a larger one.
/// Takes about 10 microseconds a sample. Throws UsageError unless both numbers are positive.
Dataset glyphs(std::int64_t train = 10'000, std::int64_t test = 2'000);

}  // namespace entrain
