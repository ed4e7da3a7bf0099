#pragma once

#include "entrain/model/model.h"

namespace entrain {

/// Fully connected layers of the widths `hidden` with ReLU between them, on the flattened input;
/// torch's initialisation.
std::unique_ptr<Model> mlp(const Task& task, at::ScalarType type,
                           const std::vector<std::int64_t>& hidden);

}  // namespace entrain
