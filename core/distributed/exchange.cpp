// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/distributed/exchange.h"

#include <cstdint>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

std::span<std::byte> bytes_of(const at::Tensor& packed) {
  return {static_cast<std::byte*>(packed.data_ptr()), packed.nbytes()};
}

}  // namespace

at::Tensor sum_of_processes(const at::Tensor& x, Communicator& processes) {
  const c10::NoGradGuard no_gradients;
  DeviceSums* const between_gpus = x.is_cpu() ? nullptr : processes.device_sums();
  const at::TensorOptions place = at::device(between_gpus == nullptr ? at::kCPU : x.device());
  const bool exact = x.scalar_type() == at::kDouble;
  const at::Tensor sum = at::empty(x.sizes(), place.dtype(exact ? at::kDouble : at::kFloat));
  sum.copy_(x);
  const auto add_up = [&](auto values) {
    between_gpus == nullptr ? processes.sum(values) : between_gpus->sum(values);
  };
  const auto count = static_cast<std::size_t>(x.numel());
  if (exact) {
    add_up(std::span(sum.data_ptr<double>(), count));
  } else {
    add_up(std::span(sum.data_ptr<float>(), count));
  }
  return sum.to(x.options());
}

at::Tensor gather_rows(std::vector<at::Tensor> chunks, Communicator& processes) {
  const auto rank = static_cast<std::size_t>(processes.rank());
  std::vector<double> counts(static_cast<std::size_t>(processes.size()));
  for (const at::Tensor& chunk : chunks) counts[rank] += static_cast<double>(chunk.size(0));
  processes.sum(std::span(counts));
  std::vector<std::int64_t> sizes = chunks.front().sizes().vec();
  sizes[0] = static_cast<std::int64_t>(std::accumulate(counts.begin(), counts.end(), 0.0));
  const at::Tensor all = at::zeros(sizes, at::kFloat);
  const auto own = counts.begin() + static_cast<std::ptrdiff_t>(rank);
  auto row = static_cast<std::int64_t>(std::accumulate(counts.begin(), own, 0.0));
  for (at::Tensor& chunk : chunks) {
    all.narrow(0, row, chunk.size(0)).copy_(chunk);
    row += chunk.size(0);
    chunk.reset();
  }
  processes.sum(std::span(all.data_ptr<float>(), static_cast<std::size_t>(all.numel())));
  return all;
}

nlohmann::json share_json(const nlohmann::json& value, Communicator& processes) {
  std::vector<std::uint8_t> bytes = nlohmann::json::to_cbor(value);  // keeps what is no number
  std::uint64_t length = bytes.size();
  processes.broadcast(std::as_writable_bytes(std::span(&length, 1)));
  bytes.resize(length);
  processes.broadcast(std::as_writable_bytes(std::span(bytes)));
  return nlohmann::json::from_cbor(bytes);
}

void share_tensors(const TensorMap& tensors, Communicator& processes) {
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor packed = tensor.detach().cpu().contiguous();
    processes.broadcast(bytes_of(packed));
    tensor.copy_(packed);
  }
}

void require_same(const nlohmann::json& what, Communicator& processes) {
  const nlohmann::json first = share_json(what, processes);
  for (const auto& [key, value] : what.items()) {
    if (first.value(key, nlohmann::json()) == value) continue;
    throw Error(ErrorCode::kBadOption,
                fmt::format("Process {} of {} has another {} than process 0: {} instead of {}. "
                            "Start all processes with the same options, the same data and the same "
                            "gst-uad.",
                            processes.rank(), processes.size(), key, value.dump(),
                            first.value(key, nlohmann::json()).dump()));
  }
}

}  // namespace uad
