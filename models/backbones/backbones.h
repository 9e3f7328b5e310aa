// SPDX-License-Identifier: LGPL-2.1-or-later
// The table of backbones, where their weights come from, and what every method on a backbone does
// with it: options, fit, model file.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/method.h"
#include "models/backbones/backbone.h"

namespace uad::models {

/// Names as in the option `backbone`.
[[nodiscard]] std::vector<std::string> backbone_names();

/// Weights as found, before a network is made of them.
struct BackboneWeights {
  TensorMap tensors;
  std::string origin;  ///< file name, for errors
  std::string sha256;  ///< of that file; "" where no file is needed
};

/// The weights of a backbone from `weights_dir` (empty: the folder in UAD_WEIGHTS_DIR); nothing is
/// read for a backbone without weights.
/// @param otherwise  what else the user may do, for the error.
/// @throws Error(kNotFound) naming the expected file, the folder and how to fetch it;
/// Error(kBadFile).
[[nodiscard]] BackboneWeights find_backbone_weights(
    const std::string& backbone, const std::filesystem::path& weights_dir,
    const std::string& otherwise = "use backbone=gabor, which needs none");

/// The layers of a backbone with these comma-separated names, e.g. "layer2,layer3".
/// @throws Error(kBadOption) listing the known backbones or layers.
[[nodiscard]] std::vector<LayerInfo> choose_layers(const std::string& backbone,
                                                   const std::string& layers);

/// @param layers  see choose_layers().
/// @throws Error(kBadOption) listing the known backbones or layers; Error(kBadFile) if the weights
/// do not fit.
[[nodiscard]] std::unique_ptr<Backbone> make_backbone(const std::string& backbone,
                                                      const std::string& layers,
                                                      const BackboneWeights& weights,
                                                      const Execution& execution);

/// Option `backbone` of a method.
[[nodiscard]] OptionSpec backbone_option();
/// Option `layers` of a method; `layers` as for make_backbone().
[[nodiscard]] OptionSpec layers_option(const std::string& layers);

struct FittedBackbone {
  std::shared_ptr<const Backbone> backbone;  ///< shared by the fitter and the model it becomes
  std::string sha256;                        ///< of its weight file; "" where none is needed
};

/// The backbone that the options `backbone` and `layers` ask for.
/// @throws as find_backbone_weights() and make_backbone().
[[nodiscard]] FittedBackbone find_backbone(const FitContext& context);

/// Stores the weights as tensors "backbone.…".
void save_backbone(const Backbone& backbone, CheckpointWriter& out);

/// What save_backbone() stored.
[[nodiscard]] BackboneWeights saved_backbone_weights(const CheckpointReader& in);

/// The same as a network, with the options of that model.
/// @throws as make_backbone().
[[nodiscard]] std::shared_ptr<const Backbone> load_backbone(const CheckpointReader& in,
                                                            const Execution& execution);

}  // namespace uad::models
