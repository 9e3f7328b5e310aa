// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/processes.h"

#include <array>
#include <cstdlib>

#include <dlfcn.h>
#include <fmt/format.h>

#include "core/base/log.h"
#include "core/distributed/mpi/join.h"
#include "core/distributed/nccl/join.h"

namespace uad {
namespace {

thread_local Communicator* current = nullptr;

/// Names under which a number of processes and the own number are told.
struct Names {
  const char* size;
  const char* rank;
};
constexpr char kCuda[] = "cuda:";
constexpr std::array kNames{Names{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
                            Names{"PMI_SIZE", "PMI_RANK"}, Names{"SLURM_NTASKS", "PMIX_RANK"}};

JoinNccl* find_nccl() {
  void* library = dlopen(kNcclLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  return library == nullptr ? nullptr : reinterpret_cast<JoinNccl*>(dlsym(library, kJoinNccl));
}

}  // namespace

Communicator* processes() noexcept { return current; }

bool is_first_process() noexcept {
  if (current != nullptr) return current->rank() == 0;
  const std::optional<Launch> launch = find_launch();
  return !launch || launch->rank == 0;
}

ProcessesScope::ProcessesScope(Communicator* with) noexcept : before_(current) { current = with; }

ProcessesScope::~ProcessesScope() { current = before_; }

std::optional<Launch> find_launch() {
  for (const Names& names : kNames) {
    const char* size = std::getenv(names.size);
    const char* rank = std::getenv(names.rank);
    if (size == nullptr || rank == nullptr || std::atoi(size) < 2) continue;
    return Launch{std::atoi(rank), std::atoi(size)};
  }
  return std::nullopt;
}

// Open MPI opens parts of itself that look for its symbols among the global ones.
std::unique_ptr<Communicator> join_processes(const Launch& launch, int timeout_s) {
  void* library = dlopen(kMpiLibrary, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
  void* join = library == nullptr ? nullptr : dlsym(library, kJoinMpi);
  if (join == nullptr) {
    const char* reason = dlerror();
    throw Error(ErrorCode::kNotFound,
                fmt::format("Several processes were started, but {} cannot be loaded, through "
                            "which they would train together. Install Open MPI and build gst-uad "
                            "with -Dmpi=enabled, or start one process without mpirun.",
                            kMpiLibrary),
                reason == nullptr ? "" : reason);
  }
  std::unique_ptr<Communicator> joined(reinterpret_cast<JoinMpi*>(join)(timeout_s));
  if (joined->size() == launch.size) return joined;
  throw Error(ErrorCode::kFailed,
              fmt::format("This process was started as one of {}, but Open MPI knows of {}. Start "
                          "all of them with Open MPI's own mpirun, or with srun --mpi=pmix.",
                          launch.size, joined->size()));
}

void join_devices(Communicator& processes, const std::string& device) {
  if (processes.device_sums() != nullptr) return;
  const bool on_gpu = device.starts_with(kCuda);
  JoinNccl* const join = on_gpu ? find_nccl() : nullptr;
  std::array<double, 2> have{on_gpu ? 1.0 : 0.0, join == nullptr ? 0.0 : 1.0};
  processes.sum(std::span(have));
  if (have[0] == 0) return;
  std::string reason;
  if (have[0] < processes.size()) {
    reason = "not every process computes on one";
  } else if (have[1] < processes.size()) {
    reason = fmt::format("{} cannot be loaded; build gst-uad with -Dnccl=enabled", kNcclLibrary);
  } else {
    try {
      processes.set_device_sums(
          std::unique_ptr<DeviceSums>(join(processes, std::stoi(device.substr(sizeof kCuda - 1)))));
    } catch (const ProcessesLost&) {
      throw;
    } catch (const Error& error) {
      reason = error.what();
    }
  }
  double joined = reason.empty() ? 1 : 0;
  processes.sum(std::span(&joined, 1));
  if (joined == processes.size()) return;
  processes.set_device_sums(nullptr);
  if (reason.empty()) reason = "another process could not join";
  log(LogLevel::kWarning,
      fmt::format("What GPUs share goes through main memory, slowly: {}.", reason));
}

}  // namespace uad
