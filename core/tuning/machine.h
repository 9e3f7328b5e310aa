// SPDX-License-Identifier: LGPL-2.1-or-later
// The machine and process that figures were measured on.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace uad {

struct MachineFacts {
  std::string cpu;           ///< its name as Linux gives it; "" = unknown
  int cores = 1;             ///< that threads can run on
  std::string instructions;  ///< the widest of "AMX", "AVX512-BF16", "AVX-512", "AVX2", "" = less
};

/// @note Thread-safe.
MachineFacts this_machine();

/// Milliseconds since this process was started, loading its libraries included; to 10 ms.
double process_age_ms();

/// The most memory that this process has held so far, in bytes.
std::int64_t peak_memory();

/// {"cpu", "cores", "instructions"}.
nlohmann::json to_json(const MachineFacts& machine);

}  // namespace uad
