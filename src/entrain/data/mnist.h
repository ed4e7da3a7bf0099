#pragma once

#include <filesystem>
#include <vector>

#include "entrain/data/dataset.h"

namespace entrain {

/// The four original files of MNIST in `folder`, each plain or .gz: training images and labels,
/// test images and labels. Throws DataError if one is missing.
std::vector<SourceFile> mnist_files(const std::filesystem::path& folder);

/// Loads MNIST (LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document
/// recognition", Proc. IEEE 1998) from its original IDX files in `folder`, each plain or .gz.
///
/// Other sets of 28x28 images in the same format and with ten classes load as well, with a warning
/// for each file of which the checksum is not the official one. Throws DataError for a file that is
/// missing, cut short, corrupt, or not what its header or its name says.
Dataset mnist(const std::filesystem::path& folder);

}  // namespace entrain
