#pragma once

/// Before a function: one source for every x86-64, of which the loader picks the clone with the
/// widest vectors that the processor has. Not under the thread sanitizer, whose calls in the choice
/// come before the loader has bound them.
#if defined(__clang__) || defined(__SANITIZE_THREAD__)
#define ENTRAIN_VECTORISED
#else
#define ENTRAIN_VECTORISED __attribute__((target_clones("avx512f", "arch=haswell", "default")))
#endif
