// SPDX-License-Identifier: LGPL-2.1-or-later
// Precompiled: what nearly every source without tensors needs.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
