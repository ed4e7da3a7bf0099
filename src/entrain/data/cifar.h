#pragma once

#include <filesystem>
#include <vector>

#include "entrain/data/dataset.h"

namespace entrain {

/// The file or files that cifar10() reads: the first of these forms that is complete.
///
/// 1. data_batch_1.bin to data_batch_5.bin and test_batch.bin, in the folder `from`,
/// 2. or in its sub-folder cifar-10-batches-bin;
/// 3. cifar-10-binary.tar.gz (the official archive), .tar.xz or .tar, in this order, in `from`;
/// 4. `from` itself, an archive of any name that ends in one of these three.
///
/// Throws DataError, which says what is missing, if there is none.
std::vector<SourceFile> cifar10_files(const std::filesystem::path& from);

/// Loads CIFAR-10 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009) from
/// the binary version of its files. An archive is read in one pass and nothing is unpacked to disk.
///
/// Other sets in the same format load as well, with a warning for each of the six files of which
/// the checksum is not the official one. Throws DataError for a file that is missing, cut short,
/// corrupt, or not what its name says.
Dataset cifar10(const std::filesystem::path& from);

}  // namespace entrain
