// SPDX-License-Identifier: LGPL-2.1-or-later
// The one door of libuad-mpi.so, which alone is linked to MPI and is opened only where several
// processes were started.
#pragma once

#include "core/distributed/communicator.h"

namespace uad {

inline constexpr char kMpiLibrary[] = "libuad-mpi.so";
inline constexpr char kJoinMpi[] = "uad_join_mpi";
/// All processes of MPI's world; ended when it is deleted, for which all must be well. Once a
/// process. @throws ProcessesLost if they do not meet within `timeout_s` seconds.
using JoinMpi = Communicator*(int timeout_s);

}  // namespace uad
