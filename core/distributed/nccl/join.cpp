// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/nccl/join.h"

#include <thread>

#include <cuda_runtime_api.h>
#include <nccl.h>

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

void check(cudaError_t result) {
  if (result == cudaSuccess) return;
  throw Error(ErrorCode::kFailed, std::string("CUDA: ") + cudaGetErrorString(result));
}

// LibTorch computes in it unless told otherwise, so that sums come after what they are made of.
constexpr cudaStream_t kDefaultStream = nullptr;

/// Everything in NCCL is begun and then asked for until it is there, because its own waiting has no
/// end.
class NcclSums final : public DeviceSums {
 public:
  NcclSums(Communicator& processes, int device) : timeout_(processes.timeout()), device_(device) {
    ncclUniqueId meeting{};
    require_all(processes, [&] {
      uad::check(cudaSetDevice(device));
      if (processes.rank() == 0) check(ncclGetUniqueId(&meeting));
    });
    processes.broadcast(std::as_writable_bytes(std::span(&meeting, 1)));
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    try {
      check(ncclCommInitRankConfig(&sums_, processes.size(), meeting, processes.rank(), &config));
      wait([] { return true; });
    } catch (...) {
      give_up();
      throw;
    }
  }
  ~NcclSums() override { give_up(); }
  NcclSums(const NcclSums&) = delete;
  NcclSums& operator=(const NcclSums&) = delete;

  void sum(std::span<float> values) override { sum(values, ncclFloat); }
  void sum(std::span<double> values) override { sum(values, ncclDouble); }

 private:
  /// What fails in one process fails in all: the others would wait for it.
  template <class Prepare>
  static void require_all(Communicator& processes, const Prepare& prepare) {
    std::string reason = "another process has no GPU to offer";
    double ready = 0;
    try {
      prepare();
      ready = 1;
    } catch (const Error& error) {
      reason = error.what();
    }
    processes.sum(std::span(&ready, 1));
    if (ready < processes.size()) throw Error(ErrorCode::kFailed, reason);
  }

  static void check(ncclResult_t result) {
    if (result == ncclSuccess || result == ncclInProgress) return;
    throw Error(ErrorCode::kFailed, std::string("NCCL: ") + ncclGetErrorString(result));
  }

  template <class Value>
  void sum(std::span<Value> values, ncclDataType_t type) {
    if (sums_ == nullptr) throw ProcessesLost(timeout_);
    try {
      uad::check(cudaSetDevice(device_));  // of the calling thread
      check(ncclAllReduce(values.data(), values.data(), values.size(), type, ncclSum, sums_,
                          kDefaultStream));
      wait([] {
        const cudaError_t state = cudaStreamQuery(kDefaultStream);
        if (state != cudaErrorNotReady) uad::check(state);
        return state == cudaSuccess;
      });
    } catch (const ProcessesLost&) {
      give_up();
      throw;
    } catch (const Error& error) {
      give_up();
      throw ProcessesLost(std::string("The connection between the GPUs broke (") + error.what() +
                          "). See whether all processes run and whether the network between their "
                          "machines is up.");
    }
  }

  /// Until NCCL has done what it was asked for and `done()`.
  template <class Done>
  void wait(const Done& done) {
    const Clock::time_point end = Clock::now() + timeout_;
    while (true) {
      ncclResult_t state = ncclSuccess;
      check(ncclCommGetAsyncError(sums_, &state));
      check(state);
      if (state == ncclSuccess && done()) return;
      if (Clock::now() > end) throw ProcessesLost(timeout_);
      std::this_thread::yield();
    }
  }

  /// Leaving in order would wait for the others, which may be gone.
  void give_up() noexcept {
    if (sums_ != nullptr) ncclCommAbort(sums_);
    sums_ = nullptr;
  }

  std::chrono::seconds timeout_;
  int device_;
  ncclComm_t sums_ = nullptr;
};

}  // namespace
}  // namespace uad

extern "C" __attribute__((visibility("default"))) uad::DeviceSums* uad_join_nccl(
    uad::Communicator& processes, int device) {
  return new uad::NcclSums(processes, device);
}
