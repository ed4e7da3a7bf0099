#pragma once

#include "entrain/model/model.h"

namespace entrain {

/// Softmax regression on the flattened input. Zero at the start, as the problem is convex.
std::unique_ptr<Model> softmax(const Task& task, at::ScalarType type);

}  // namespace entrain
