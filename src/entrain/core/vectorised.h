#pragma once

/// Before a function: one source for every x86-64, of which the loader picks the clone with the
/// widest vectors that the processor has.
#if defined(__clang__)
#define ENTRAIN_VECTORISED
#else
#define ENTRAIN_VECTORISED __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#endif
