#pragma once

#include <cstdint>
#include <span>

#include "entrain/data/dataset.h"

namespace entrain {

/// Turns each image of a batch into a random near-copy, in place: pads it by 4 pixels on every
/// side, crops it to its size at one of the 9 x 9 places, and mirrors it left to right with
/// probability 1/2, all the same for its channels (He, Zhang, Ren, Sun, "Deep residual learning for
/// image recognition", 2016, section 4.2). The padding is 0 after normalisation, as there: the mean
/// colour, where torchvision's transforms of raw images pad with black.
///
/// What happens to an image is a pure function of (seed, epoch, index of the sample), so it depends
/// neither on the worker nor on the batch that the image is in. `indices` are those that the batch
/// was gathered with. Safe from several threads at once, for different batches.
/// REQUIRES: inputs as from gather(); one index for each.
void augment(Batch& batch, std::span<const std::int64_t> indices, std::uint64_t seed,
             std::int64_t epoch);

}  // namespace entrain
