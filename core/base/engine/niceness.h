// SPDX-License-Identifier: LGPL-2.1-or-later
// Threads that leave the cores to others.
#pragma once

#include <sys/resource.h>

namespace uad {

inline constexpr int kBackgroundNiceness = 10;  ///< loses about 9 to 1 against a usual thread

/// Sets the niceness of the calling thread, and of the threads it starts from then on, for good.
/// Linux keeps it for each thread; a refusal leaves it as it was. Source: setpriority(2), BUGS.
inline void be_nice(int niceness) { setpriority(PRIO_PROCESS, 0, niceness); }

}  // namespace uad
