// SPDX-License-Identifier: LGPL-2.1-or-later
// The checksum of PNG chunks and zip entries (ISO 3309, polynomial 0xEDB88320).
#pragma once

#include <cstddef>
#include <cstdint>

namespace uad {

/// @param previous  the checksum of what came before, to go on.
std::uint32_t crc32(const void* bytes, std::size_t count, std::uint32_t previous = 0);

}  // namespace uad
