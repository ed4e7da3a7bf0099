#pragma once

#include "entrain/model/model.h"

namespace entrain {

/// ResNet-20 for 32x32 images (He et al. 2016, section 4.2): three stages of three blocks with 16,
/// 32 and 64 channels; shortcuts without parameters. 269,722 parameters for 3 channels and 10
/// classes.
std::unique_ptr<Model> resnet20(const Task& task, at::ScalarType type);

/// ResNet-18 for 32x32 images: a 3x3 stem without pooling, four stages of two blocks with 64 to 512
/// channels; 1x1 convolutions where a shortcut changes shape. 11,173,962 parameters for 3 channels
/// and 10 classes.
std::unique_ptr<Model> resnet18(const Task& task, at::ScalarType type);

}  // namespace entrain
