#pragma once

/// The library's door: three lines that make a loop of your own train with others
/// (examples/own_loop.cpp).
#include "entrain/core/errors.h"
#include "entrain/train/attach.h"
