# Writes OUT, a source file with the version and the commit; leaves it alone if nothing changed.
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                OUTPUT_VARIABLE revision OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(failed)
  set(revision "unknown")
endif()
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#include "entrain/core/version.h"

const char* const entrain::kVersion = "@VERSION@";
const char* const entrain::kRevision = "@revision@";
]] @ONLY)
