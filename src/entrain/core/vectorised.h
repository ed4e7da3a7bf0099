#pragma once

/// Before a function: one source for every x86-64, of which the loader picks the clone with the
/// widest vectors that the processor has.
#define ENTRAIN_VECTORISED __attribute__((target_clones("avx512f", "arch=haswell", "default")))
