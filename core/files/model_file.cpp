// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/model_file.h"

#include <cstring>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/model_mask.h"
#include "core/calibration/sensitivity.h"
#include "core/files/safetensors.h"
#include "core/files/sha256.h"

namespace uad {
namespace {

constexpr char kModelPrefix[] = "model.";
constexpr char kFramePrefix[] = "self_test.";
constexpr char kSensitivityTensor[] = "sensitivity";
constexpr char kTrainingFramesTensor[] = "training.frames";
constexpr char kManifestKey[] = "uad";
constexpr char kManifestHashKey[] = "uad_sha256";  // of the manifest: it guards the thresholds
constexpr std::size_t kMaxFrames = 4;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw Error(
      ErrorCode::kBadFile,
      fmt::format("Model file '{}' cannot be trusted: {}; copy it again or retrain.", file, what));
}

std::string hash_of(const at::Tensor& tensor) {
  const at::Tensor packed = tensor.detach().to(at::kCPU).contiguous();
  return sha256_of(packed.const_data_ptr(), packed.nbytes());
}

/// uint8 [H, W, 3], or [H, W] for one channel.
at::Tensor to_tensor(const Image& image) {
  std::vector<std::int64_t> shape{image.height, image.width};
  if (image.channels != 1) shape.push_back(image.channels);
  at::Tensor tensor = at::empty(shape, at::kByte);
  if (tensor.nbytes() != image.pixels.size()) {
    throw Error(ErrorCode::kFailed, "An image to be saved has another size than its pixels.");
  }
  std::memcpy(tensor.mutable_data_ptr(), image.pixels.data(), image.pixels.size());
  return tensor;
}

Image to_image(const at::Tensor& tensor, int channels, const std::string& name,
               const std::string& file) {
  const bool shaped = channels == 1 ? tensor.dim() == 2 : tensor.dim() == 3 && tensor.size(2) == 3;
  if (tensor.scalar_type() != at::kByte || !shaped || tensor.size(0) > 32768 ||
      tensor.size(1) > 32768 || tensor.numel() == 0) {
    refuse(file, fmt::format("'{}' is not an 8-bit image of {} channels", name, channels));
  }
  const auto* first = tensor.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(tensor.size(1)),
          static_cast<int>(tensor.size(0)),
          channels,
          {first, first + tensor.numel()}};
}

/// float32 [H, W].
at::Tensor to_tensor(const ScoreMap& map) {
  return at::tensor(at::ArrayRef<float>(map.values)).view({map.height, map.width});
}

ScoreMap to_gains(const at::Tensor& tensor, const std::string& file) {
  if (tensor.scalar_type() != at::kFloat || tensor.dim() != 2 || tensor.numel() == 0 ||
      tensor.size(0) > 32768 || tensor.size(1) > 32768 ||
      !((tensor >= kLeastGain) & (tensor <= kMostGain)).all().item<bool>()) {
    refuse(file, fmt::format("'{}' is not a map of gains from {} to {}", kSensitivityTensor,
                             kLeastGain, kMostGain));
  }
  const auto* first = tensor.const_data_ptr<float>();
  return {static_cast<int>(tensor.size(1)),
          static_cast<int>(tensor.size(0)),
          {first, first + tensor.numel()}};
}

/// int64 [N].
std::vector<std::int64_t> to_hashes(const at::Tensor& tensor, const std::string& file) {
  if (tensor.scalar_type() != at::kLong || tensor.dim() != 1) {
    refuse(file, fmt::format("'{}' is not a list of 64-bit numbers", kTrainingFramesTensor));
  }
  const auto* first = tensor.const_data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

/// Every tensor is listed with its hash, and every listed one is there.
void verify(const TensorMap& tensors, const std::map<std::string, std::string>& expected,
            const std::string& file, const std::function<void(double)>& on_progress) {
  for (const auto& [name, hash] : expected) {
    if (!tensors.contains(name)) refuse(file, fmt::format("its tensor '{}' is missing", name));
  }
  std::size_t done = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto listed = expected.find(name);
    if (listed == expected.end()) {
      refuse(file, fmt::format("its tensor '{}' is not listed in the manifest", name));
    }
    if (hash_of(tensor) != listed->second) {
      refuse(file, fmt::format("its tensor '{}' was altered", name));
    }
    on_progress(static_cast<double>(++done) / static_cast<double>(tensors.size()));
  }
}

Manifest verified_manifest(const Safetensors& content, const std::string& file) {
  const auto text = content.metadata.find(kManifestKey);
  const auto hash = content.metadata.find(kManifestHashKey);
  if (text == content.metadata.end()) {
    refuse(file, "it is a safetensors file without a manifest, not written by 'uad train'");
  }
  // Parsed before its hash is asked for: a file of another version says so, whatever it hashes.
  Manifest manifest = parse_manifest(text->second, file);
  if (hash == content.metadata.end() ||
      hash->second != sha256_of(text->second.data(), text->second.size())) {
    refuse(file, "its manifest was altered");
  }
  return manifest;
}

/// Sorts the verified tensors into the method's, the frames and the mask.
ModelFile take_apart(Manifest manifest, Safetensors content, const std::string& file) {
  ModelFile model;
  for (std::size_t i = 0; i < manifest.self_test.scores.size(); ++i) {
    const std::string name = kFramePrefix + std::to_string(i);
    const auto frame = content.tensors.find(name);
    if (frame == content.tensors.end()) {
      refuse(file, fmt::format("its self-test frame '{}' is missing", name));
    }
    model.self_test_frames.push_back(to_image(frame->second, 3, name, file));
    content.tensors.erase(frame);
  }
  for (auto& [name, tensor] : content.tensors) {
    if (name.starts_with(kModelPrefix)) {
      model.tensors.emplace(name.substr(sizeof(kModelPrefix) - 1), std::move(tensor));
    } else if (name == kMaskTensor) {
      model.mask = to_image(tensor, 1, name, file);
    } else if (name == kSensitivityTensor) {
      model.sensitivity = to_gains(tensor, file);
    } else if (name == kTrainingFramesTensor) {
      model.training_frames = to_hashes(tensor, file);
    } else {
      refuse(file, fmt::format("its tensor '{}' belongs to nothing", name));
    }
  }
  model.manifest = std::move(manifest);
  model.sha256 = std::move(content.sha256);
  return model;
}

}  // namespace

std::string save_model_file(const std::filesystem::path& file, ModelFile model) {
  if (model.self_test_frames.size() != model.manifest.self_test.scores.size() ||
      model.self_test_frames.size() > kMaxFrames) {
    throw Error(ErrorCode::kFailed,
                fmt::format("A model needs one score for each of at most {} self-test frames, "
                            "found {} scores and {} frames.",
                            kMaxFrames, model.manifest.self_test.scores.size(),
                            model.self_test_frames.size()));
  }
  TensorMap tensors;
  for (const auto& [name, tensor] : model.tensors) tensors.emplace(kModelPrefix + name, tensor);
  for (std::size_t i = 0; i < model.self_test_frames.size(); ++i) {
    tensors.emplace(kFramePrefix + std::to_string(i), to_tensor(model.self_test_frames[i]));
  }
  if (!model.mask.pixels.empty()) tensors.emplace(kMaskTensor, to_tensor(model.mask));
  if (!model.sensitivity.empty()) {
    tensors.emplace(kSensitivityTensor, to_tensor(model.sensitivity));
  }
  if (!model.training_frames.empty()) {
    tensors.emplace(kTrainingFramesTensor, at::tensor(model.training_frames, at::kLong));
  }
  model.manifest.tensor_sha256.clear();
  for (const auto& [name, tensor] : tensors) {
    model.manifest.tensor_sha256[name] = hash_of(tensor);
  }
  const std::string text = to_json_text(model.manifest);
  try {
    (void)parse_manifest(text, file.string());  // a model that cannot be loaded is not written
  } catch (const Error& e) {
    throw Error(
        ErrorCode::kFailed,
        fmt::format("Model file '{}' was not written: its manifest is invalid.", file.string()),
        e.what());
  }
  return write_safetensors(
      file, tensors,
      {{kManifestKey, text}, {kManifestHashKey, sha256_of(text.data(), text.size())}});
}

ModelFile load_model_file(const std::filesystem::path& file, const ProgressFn& progress,
                          std::stop_token stop) {
  const auto stage = [&](const char* name) {
    return [&progress, &stop, name](double fraction) {
      if (stop.stop_requested()) throw Error(ErrorCode::kCancelled, "Loading was cancelled.");
      if (progress) progress(fraction, name);
    };
  };
  // Only the header is read first, so a wrong version costs nothing and is named as such.
  (void)read_manifest(file);
  Safetensors content = read_safetensors(file, stage("reading"));
  Manifest manifest = verified_manifest(content, file.string());
  verify(content.tensors, manifest.tensor_sha256, file.string(), stage("verifying"));
  return take_apart(std::move(manifest), std::move(content), file.string());
}

}  // namespace uad
