#pragma once

#include "entrain/model/model.h"

namespace entrain {

/// A small LeNet: conv 3x3 (16), pool, conv 3x3 (32), pool, linear 128, linear; ReLU; torch's
/// initialisation. On 28x28 grey images it has 206,922 parameters.
std::unique_ptr<Model> cnn(const Task& task, at::ScalarType type);

}  // namespace entrain
