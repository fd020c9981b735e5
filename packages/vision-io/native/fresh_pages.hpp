// Memory that was never written has no pages yet, and each first write to one stops the program while the system finds and
// clears it. Asked for many at once, it does that with a third less work.
#pragma once

#include <cstdint>

namespace vision_io {

// Backs [address, address + bytes) with pages; what is there already stays. Does nothing where the system cannot.
void populate_pages(void* address, int64_t bytes);

}  // namespace vision_io
