// SPDX-License-Identifier: LGPL-2.1-or-later
// Tensors and texts between the processes of a run.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include "core/checkpoint.h"
#include "core/distributed/communicator.h"

namespace uad {

/// Σ over the processes, where `x` is. @param x  float32 or float64; other types are summed as
/// float32. @return of its type. @throws ProcessesLost, as all of these.
[[nodiscard]] at::Tensor sum_of_processes(const at::Tensor& x, Communicator& processes);

/// What all processes have, in their order. @param chunks  float32 on the CPU, [n, …] each; only n
/// may differ. They are let go before the rest comes.
[[nodiscard]] at::Tensor gather_rows(std::vector<at::Tensor> chunks, Communicator& processes);

/// What process 0 has.
[[nodiscard]] nlohmann::json share_json(const nlohmann::json& value, Communicator& processes);
/// The same, into the tensors of the others, which have the same names, shapes and types.
void share_tensors(const TensorMap& tensors, Communicator& processes);

/// @param what  an object that must be the same in every process.
/// @throws Error(kBadOption) naming the first thing that differs from process 0.
void require_same(const nlohmann::json& what, Communicator& processes);

}  // namespace uad
