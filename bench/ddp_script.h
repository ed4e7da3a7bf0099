#pragma once

namespace entrain {

/// The text of bench/peers/ddp.py.
extern const char* const kDdpScript;

}  // namespace entrain
