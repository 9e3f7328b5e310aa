// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/iuf/settings.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/gradient/training_options.h"
#include "models/backbones/backbones.h"

namespace uad::models::iuf {

namespace {

OptionSpec flag(std::string name, bool value, std::string help) {
  return {.name = std::move(name),
          .type = OptionType::kBool,
          .default_value = value,
          .help = std::move(help),
          .of_fit = true};
}

OptionSpec number(std::string name, double value, double most, std::string help) {
  return {.name = std::move(name),
          .type = OptionType::kFloat,
          .default_value = value,
          .help = std::move(help),
          .minimum = 0,
          .maximum = most,
          .of_fit = true};
}

OptionSpec backbone() {
  OptionSpec spec = backbone_option();
  spec.default_value = "efficientnet_b4";
  return spec;
}

ScoreRule rule_of(const std::string& name) {
  return name == "mean" ? ScoreRule::kMean : name == "std" ? ScoreRule::kStd : ScoreRule::kMax;
}

std::array<bool, 3> masked_of(const std::string& name) {
  if (name == "all") return {true, true, true};
  if (name == "encoder") return {true, false, false};
  return {false, false, false};
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  OptionSpec rate = learning_rate_option(1e-4);
  rate.help = "learning rate of the first task";
  return {
      backbone(),
      layers_option("layer1,layer2,layer3,layer4"),
      {.name = "padding",
       .default_value = "symmetric",
       .help =
           "of efficientnet_b4: symmetric as torchvision's weights want it, or tf380, fixed for "
           "380x380 as the published program's",
       .choices = {"symmetric", "tf380"}},
      {.name = "bn_eps",
       .type = OptionType::kFloat,
       .default_value = 1e-5,
       .help = "of efficientnet_b4's batch norms; 1e-3 belongs to tf380",
       .minimum = 1e-8,
       .maximum = 1},
      {.name = "oasa_patch_size",
       .type = OptionType::kInt,
       .default_value = 1,
       .help =
           "pixels of a side that the object-aware attention takes as one token: 1 as published "
           "(89 GMAC an image), or 16 (a fortieth of it)",
       .minimum = 1,
       .maximum = 16,
       .aliases = {"oasa.patch_size"}},
      {.name = "position",
       .default_value = "learned",
       .help = "code of the tokens' places",
       .choices = {"learned", "sine"}},
      {.name = "neighbour_mask",
       .default_value = "none",
       .help = "attention that must not look at a token's 7x7 neighbourhood",
       .choices = {"none", "encoder", "all"}},
      {.name = "score",
       .default_value = "max",
       .help = "of an image: largest mean of 16x16 pixels, mean, or standard deviation of its map",
       .choices = {"max", "mean", "std"}},
      {.name = "classes",
       .type = OptionType::kInt,
       .default_value = 0,
       .help = "products that the class head has room for; 0 = it grows with every product",
       .minimum = 0,
       .maximum = 1000},
      {.name = "product",
       .default_value = "",
       .help = "name of the product that is learnt [the data set's]",
       .of_fit = true},
      epochs_option(300),
      batch_size_option(24),
      rate,
      {.name = "lr_step",
       .type = OptionType::kInt,
       .default_value = 800,
       .help = "epochs after which the learning rate falls to a tenth",
       .minimum = 1,
       .maximum = 1e6,
       .of_fit = true},
      weight_decay_option(1e-4),
      number("clip_max_norm", 0.1, 1e6, "limit of the gradients' common norm; 0 = none"),
      patience_option(),
      number("jitter_scale", 20, 1000, "strength of the noise on the features in training"),
      number("jitter_prob", 1, 1, "share of the batches with that noise"),
      number("scl_weight", 10, 1e6, "of the semantic compression loss, in the first task"),
      flag("scl_gradient", true, "whether that loss teaches; false = as published, it does not"),
      {.name = "increment",
       .default_value = "constrained",
       .help = "how later products are learnt: constrained keeps the old ones, finetune is plain "
               "training",
       .choices = {"constrained", "finetune"},
       .of_fit = true},
      number("increment_lr", 1, 100, "learning rate of constrained increments"),
      number("head_lr", 0, 100, "of the class head in them; 0 = increment_lr"),
      number("pull", 0.05, 1,
             "share of the way back to the old weights before each of their steps"),
      flag("projection", true,
           "increments leave alone what the outputs for old products consist of"),
      flag("hflip", false, "mirror training images at random"),
      flag("vflip", false, "turn them upside down at random"),
      flag("rotate", false, "turn them by quarters at random"),
      amp_option(),
  };
}

Settings::Settings(const nlohmann::json& options)
    : patch(options.at("oasa_patch_size").get<std::int64_t>()),
      sine(options.at("position") == "sine"),
      masked(masked_of(options.at("neighbour_mask").get<std::string>())),
      score(rule_of(options.at("score").get<std::string>())),
      classes(options.at("classes").get<std::int64_t>()),
      product(options.at("product").get<std::string>()),
      epochs(options.at("epochs").get<std::int64_t>()),
      batch_size(options.at("batch_size").get<std::size_t>()),
      learning_rate(options.at("lr").get<double>()),
      rate_epochs(options.at("lr_step").get<std::int64_t>()),
      weight_decay(options.at("weight_decay").get<double>()),
      clip_norm(options.at("clip_max_norm").get<double>()),
      patience(options.at("patience").get<std::int64_t>()),
      jitter_scale(options.at("jitter_scale").get<double>()),
      jitter_probability(options.at("jitter_prob").get<double>()),
      compression(options.at("scl_weight").get<double>()),
      compression_gradient(options.at("scl_gradient").get<bool>()),
      finetune(options.at("increment") == "finetune"),
      increment_rate(options.at("increment_lr").get<double>()),
      head_rate(options.at("head_lr").get<double>()),
      pull(options.at("pull").get<double>()),
      projection(options.at("projection").get<bool>()),
      flip_horizontal(options.at("hflip").get<bool>()),
      flip_vertical(options.at("vflip").get<bool>()),
      rotate(options.at("rotate").get<bool>()),
      mixed(options.at("amp").get<bool>()) {
  if (patch != 1 && patch != kCellSide) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option \"oasa_patch_size\" must be 1 or {}, but is {}.", kCellSide, patch));
  }
}

NetworkShape Settings::shape(std::int64_t channels, std::int64_t classes_now, std::int64_t height,
                             std::int64_t width) const {
  if (height % kCellSide != 0 || width % kCellSide != 0) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("IUF needs inputs whose sides are multiples of {}, but got {}x{}. Set "
                            "--resize to such a size.",
                            kCellSide, width, height));
  }
  return {.classes = classes_now,
          .channels = channels,
          .height = height / kCellSide,
          .width = width / kCellSide,
          .patch = patch,
          .sine = sine,
          .masked = masked};
}

}  // namespace uad::models::iuf
