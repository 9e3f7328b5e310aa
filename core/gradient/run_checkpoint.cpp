// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/gradient/run_checkpoint.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/files/safetensors.h"

namespace uad {
namespace {

constexpr int kFormat = 1;
constexpr const char* kKey = "uad.run";

void require_same(const nlohmann::json& wanted, const nlohmann::json& found,
                  const std::string& file) {
  for (const auto& [key, value] : wanted.items()) {
    const nlohmann::json other = found.value(key, nlohmann::json());
    if (other == value) continue;
    if (value.is_object() && other.is_object()) require_same(value, other, file);
    throw Error(ErrorCode::kBadOption,
                fmt::format("Checkpoint \"{}\" is of a run with {} {}, but this one has {}. Repeat "
                            "what that run was given, or start anew without --resume.",
                            file, key, other.dump(), value.dump()));
  }
}

}  // namespace

void save_run_checkpoint(const std::filesystem::path& file, const RunCheckpoint& checkpoint) {
  const nlohmann::json about{
      {"format", kFormat}, {"identity", checkpoint.identity}, {"progress", checkpoint.progress}};
  static_cast<void>(write_safetensors(file, checkpoint.tensors, {{kKey, about.dump()}}));
}

RunCheckpoint load_run_checkpoint(const std::filesystem::path& file,
                                  const nlohmann::json& identity) {
  Safetensors stored = read_safetensors(file);
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorCode::kBadFile,
                 fmt::format("\"{}\" is no checkpoint that this version can go on from: {}. Start "
                             "anew without --resume.",
                             file.string(), why));
  };
  const auto text = stored.metadata.find(kKey);
  if (text == stored.metadata.end()) throw refuse("its header does not speak of a training run");
  const nlohmann::json about = nlohmann::json::parse(text->second, nullptr, false);
  if (!about.is_object() || !about.contains("identity") || !about.contains("progress")) {
    throw refuse("its header is damaged");
  }
  if (about.value("format", nlohmann::json()) != kFormat) {
    throw refuse(fmt::format("its format is {}, expected {}",
                             about.value("format", nlohmann::json()).dump(), kFormat));
  }
  require_same(identity, about["identity"], file.string());
  return {about["identity"], about["progress"], std::move(stored.tensors)};
}

void restore(const TensorMap& stored, const TensorMap& state, const std::string& file_name) {
  for (const auto& [name, tensor] : state) {
    const auto found = stored.find(name);
    const bool fits = found != stored.end() && found->second.sizes() == tensor.sizes() &&
                      found->second.scalar_type() == tensor.scalar_type();
    if (fits) continue;
    throw Error(ErrorCode::kBadFile,
                fmt::format("Tensor \"{}\" in checkpoint \"{}\" is missing or has another shape "
                            "than the network's. Start anew without --resume.",
                            name, file_name));
  }
  const c10::NoGradGuard no_gradients;
  for (const auto& [name, tensor] : state) tensor.copy_(stored.at(name));
}

}  // namespace uad
