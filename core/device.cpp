// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/device.h"

#include <algorithm>
#include <array>
#include <charconv>

#include <ATen/ATen.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/exec/compute_type.h"

namespace uad {
namespace {

constexpr std::array kPrecisions{"model", "fp32", "bf16", "fp16", "auto"};

/// Number of CUDA devices; LibTorch's CUDA half is opened only when somebody asks for it.
std::size_t cuda_devices() {
#ifdef UAD_WITH_CUDA
  static const bool opened = dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) != nullptr;
  return opened && at::hasCUDA() ? at::getNumGPUs() : 0;
#else
  return 0;
#endif
}

std::string resolve_device(const std::string& wish) {
  if (wish == "cpu") return wish;
  if (wish == "auto") return cuda_devices() > 0 ? "cuda:0" : "cpu";
  std::size_t index = 0;
  const bool cuda = wish == "cuda" || wish.starts_with("cuda:");
  if (wish.starts_with("cuda:")) {
    const char* end = wish.data() + wish.size();
    const auto [stop, error] = std::from_chars(wish.data() + 5, end, index);
    if (error != std::errc() || stop != end) index = SIZE_MAX;
  }
  if (!cuda || index == SIZE_MAX) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Device \"{}\" is unknown. Set device to auto, cpu, cuda or cuda:N.", wish));
  }
  if (const std::size_t count = cuda_devices(); index >= count) {
    throw Error(
        ErrorCode::kNoDevice,
        fmt::format("Device \"{}\" is asked for, but this machine and its LibTorch offer {} CUDA "
                    "devices. Set device=cpu or auto.",
                    wish, count));
  }
  return fmt::format("cuda:{}", index);
}

bool computes(const std::string& device, const std::string& precision, bool cpu_bf16) {
  if (device != "cpu" || precision == "fp32") return true;
  return precision == "bf16" && cpu_bf16;
}

std::string own_precision(const std::string& calibrated, const std::string& device, bool cpu_bf16) {
  if (computes(device, calibrated, cpu_bf16)) return calibrated;
  log(LogLevel::kWarning,
      fmt::format("The model was calibrated in {}, which this CPU does not compute. fp32 is used "
                  "instead; scores may differ in the last digits.",
                  calibrated));
  return "fp32";
}

}  // namespace

std::string resolve_precision(const std::string& wish, const std::string& calibrated,
                              const std::string& device, bool cpu_bf16) {
  if (std::find(kPrecisions.begin(), kPrecisions.end(), wish) == kPrecisions.end()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Precision \"{}\" is unknown. Set precision to one of {}.", wish,
                            fmt::join(kPrecisions, ", ")));
  }
  if (wish == "model") return own_precision(calibrated, device, cpu_bf16);
  if (wish == "auto") return device != "cpu" || cpu_has_fast_bf16() ? "auto" : "fp32";
  if (computes(device, wish, cpu_bf16)) return wish;
  throw Error(
      ErrorCode::kNoDevice,
      fmt::format("Precision {} needs {}. Set precision to model, auto or fp32.", wish,
                  wish == "fp16" ? "a CUDA device" : "a CPU with AVX-512, or a CUDA device"));
}

bool cpu_has_fast_bf16() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512bf16") != 0;
}

Execution resolve_execution(const ExecutionOptions& options, const std::string& calibrated) {
  const std::string device = resolve_device(options.device);
  return {device, resolve_precision(options.precision, calibrated, device, cpu_computes_bf16())};
}

}  // namespace uad
