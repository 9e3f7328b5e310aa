// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/start_weights.h"

#include <algorithm>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/files/model_file.h"
#include "core/files/state_dict.h"

namespace uad::models::iuf {

namespace {

TensorMap without_prefixes(const TensorMap& tensors, const std::vector<std::string>& prefixes) {
  TensorMap renamed;
  for (const auto& [name, tensor] : tensors) {
    std::string rest = name;
    for (const std::string& prefix : prefixes) {
      if (rest.starts_with(prefix)) rest.erase(0, prefix.size());
    }
    renamed[rest] = tensor;
  }
  return renamed;
}

TensorMap read(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) {
    throw Error(
        ErrorCode::kNotFound,
        fmt::format("There is no \"{}\" to take weights from. Check --load-path.", file.string()));
  }
  if (file.extension() != ".uad") {
    return without_prefixes(load_state_dict(file), {"module.", "reconstruction."});
  }
  return without_prefixes(load_model_file(file, [](double, const std::string&) {}, {}).tensors,
                          {"network."});
}

}  // namespace

void take_start_weights(const std::filesystem::path& file, TensorMap& weights) {
  const TensorMap found = read(file);
  std::vector<std::string> anew;
  for (auto& [name, tensor] : weights) {
    const auto one = found.find(name);
    const bool fits = one != found.end() && one->second.is_floating_point() &&
                      one->second.sizes() == tensor.sizes() &&
                      at::isfinite(one->second).all().item<bool>();
    if (fits) {
      tensor = one->second.to(at::kCPU, at::kFloat).clone(at::MemoryFormat::Contiguous);
    } else {
      anew.push_back(name);
    }
  }
  if (anew.size() == weights.size()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("\"{}\" holds no weight of this network. Give an IUF model or state "
                            "dict with --load-path.",
                            file.string()));
  }
  if (anew.empty()) return;
  constexpr std::size_t kNamed = 5;
  const std::size_t total = anew.size();
  anew.resize(std::min(kNamed, total));
  log(LogLevel::kWarning,
      fmt::format("{} of {} tensors begin anew, because \"{}\" has none of their name and shape: "
                  "{}{}.",
                  total, weights.size(), file.string(), fmt::join(anew, ", "),
                  total > kNamed ? " …" : ""));
}

}  // namespace uad::models::iuf
