// Memory for large results that comes back: giving pages to the system and asking for others costs as much as a whole
// clip's conversion. Like malloc for small sizes, it keeps some of what was freed for the next one who asks.
#pragma once

#include <cstddef>

namespace vision_io {

// Of what is free, at most this much is kept.
constexpr size_t recycled_bytes = size_t{64} << 20;

// `size` bytes that begin at a huge page, or null. What was there before is lost.
void* recycled_take(size_t size);

// Gives back what recycled_take(size) gave.
void recycled_give(void* memory, size_t size);

// Bytes that are kept at the moment.
size_t recycled_kept();

}  // namespace vision_io
