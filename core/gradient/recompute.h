// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory for time: parts of a network that keep nothing for the backward pass but what goes into
// them, and are run a second time there. Source: Chen et al., arXiv 1604.06174.
#pragma once

#include <functional>
#include <vector>

#include <ATen/core/Tensor.h>

namespace uad {

/// @param inputs  activations and weights. @param again  it has been run before, so running
/// statistics stay as they are.
using NetworkPart =
    std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& inputs, bool again)>;

/// The outputs of `part`. Gradients reach `inputs` alone, so weights that are trained have to be
/// among them; the values of all are those of a part that keeps everything.
/// @param part  a pure function but for what `again` is for; kept as long as the outputs' graph. No
/// output is an input.
[[nodiscard]] std::vector<at::Tensor> recomputed(const std::vector<at::Tensor>& inputs,
                                                 const NetworkPart& part);

}  // namespace uad
