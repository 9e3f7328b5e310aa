// SPDX-License-Identifier: LGPL-2.1-or-later
// Precompiled: what nearly every source with tensors needs. ATen only; torch/torch.h costs twice as much.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
