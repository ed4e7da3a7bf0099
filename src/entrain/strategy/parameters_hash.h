#pragma once

#include "entrain/comm/communicator.h"
#include "entrain/strategy/rows.h"

namespace entrain {

/// The fingerprint of one worker's parameters: XXH3-64 over the bytes of its tensors, in the order
/// of their names; padding and buffers are left out.
std::uint64_t row_hash(const Rows& rows, std::int64_t row);

/// The fingerprint of all workers' parameters, in hexadecimal: XXH3-64 of the rows' hashes in the
/// order of workers. Collective.
std::string parameters_hash(const Rows& rows, Communicator& comm);

/// XXH3-64 of a text, in hexadecimal.
std::string text_hash(std::string_view text);

/// The fingerprint of a layout: XXH3-64 of its tensors' names and shapes, in hexadecimal.
std::string layout_hash(const Layout& layout);

}  // namespace entrain
