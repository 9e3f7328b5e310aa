// SPDX-License-Identifier: LGPL-2.1-or-later
// The one door of libuad-nccl.so, which alone is linked to NCCL and is opened only where several
// processes train on GPUs.
#pragma once

#include "core/distributed/communicator.h"

namespace uad {

inline constexpr char kNcclLibrary[] = "libuad-nccl.so";
inline constexpr char kJoinNccl[] = "uad_join_nccl";
/// Every process calls it, with a GPU of its own. @param processes  through which they find each
/// other, borrowed; its time-out holds here, too. @param device  number of the CUDA device.
/// @throws Error(kFailed) with CUDA's or NCCL's reason; ProcessesLost.
using JoinNccl = DeviceSums*(Communicator& processes, int device);

}  // namespace uad
