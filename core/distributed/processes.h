// SPDX-License-Identifier: LGPL-2.1-or-later
// The processes that train together, started by mpirun or a scheduler. All of them do the same, but
// for their shares of a batch or of the frames (see shared_batch.h), and process 0 alone writes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/distributed/communicator.h"

namespace uad {

/// Those that the calling thread works with; null = it works alone.
[[nodiscard]] Communicator* processes() noexcept;
/// Whether this one writes files and tells what happens. Known from the start, before they meet.
[[nodiscard]] bool is_first_process() noexcept;

/// While it lives, the calling thread works with these processes. @param with  borrowed; null =
/// alone.
class ProcessesScope {
 public:
  explicit ProcessesScope(Communicator* with) noexcept;
  ~ProcessesScope();
  ProcessesScope(const ProcessesScope&) = delete;
  ProcessesScope& operator=(const ProcessesScope&) = delete;

 private:
  Communicator* before_;
};

/// What mpirun, or srun with PMI, tells the processes that it starts.
struct Launch {
  int rank = 0;
  int size = 1;
};
/// Nothing where this process was started alone.
[[nodiscard]] std::optional<Launch> find_launch();

/// Meets the other processes through Open MPI, whose library is not opened before.
/// @param timeout_s  that it and every later wait may take, seconds.
/// @throws Error(kNotFound) if this gst-uad was built without MPI, or the library is not there;
/// Error(kFailed) if MPI knows of others than `launch`; ProcessesLost.
[[nodiscard]] std::unique_ptr<Communicator> join_processes(const Launch& launch, int timeout_s);

/// From now on what lies in GPUs is summed between them through NCCL, if each process has one of
/// its own; otherwise it goes through main memory, and a warning says why. Every process calls it.
/// @param device  of this process, "cpu" or "cuda:N". @throws ProcessesLost.
void join_devices(Communicator& processes, const std::string& device);

}  // namespace uad
