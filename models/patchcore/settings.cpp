// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/settings.h"

#include "models/backbones/backbones.h"

namespace uad::models::patchcore {

std::vector<OptionSpec> option_specs() {
  return {
      {.name = "flavor",
       .default_value = "qi",
       .help = "variant of the method: qi (QualityInspector's), amazon (the paper's authors'; "
               "scores are squared distances) or anomalib",
       .choices = {"qi", "amazon", "anomalib"},
       .aliases = {"flavour"}},
      backbone_option(),
      layers_option("layer2,layer3"),
      {.name = "upsampling",
       .default_value = "bilinear",
       .help = "how coarser layers reach the finest one's grid: bilinear, or nearest "
               "(QualityInspector)",
       .choices = {"nearest", "bilinear"}},
      {.name = "reduction",
       .default_value = "coreset",
       .help = "how patches are thinned out: coreset (farthest first); for others see padim",
       .choices = {"coreset"}},
      {.name = "k",
       .type = OptionType::kFloat,
       .default_value = 10.0,
       .help = "percent of the good patches kept in the memory bank; more is slower and finer",
       .minimum = 1e-4,
       .maximum = 100},
      {.name = "bank_size",
       .type = OptionType::kInt,
       .default_value = 0,
       .help = "patches kept in the memory bank, however many are seen, instead of k; memory then "
               "does not grow with the images [0: k percent]",
       .minimum = 0,
       .maximum = 1000000,
       .of_fit = true},
      {.name = "b",
       .type = OptionType::kInt,
       .default_value = 9,
       .help = "neighbours used in weighting the image score",
       .minimum = 1,
       .maximum = 1000},
      {.name = "reweight",
       .help = "weighting of the image score: paper, qi (QualityInspector's formula) or none "
               "[paper; none for amazon]",
       .choices = {"paper", "qi", "none"}},
      {.name = "bank_precision",
       .default_value = "fp32",
       .help = "precision the memory bank is stored in; fp16 halves the file",
       .choices = {"fp32", "fp16"}},
  };
}

Settings parse_settings(const nlohmann::json& options) {
  Settings settings;
  if (options.at("flavor") == "amazon") settings.flavour = Flavour::kAmazon;
  if (options.at("flavor") == "anomalib") settings.flavour = Flavour::kAnomalib;
  if (options.at("upsampling") == "nearest") settings.upsampling = Upsampling::kNearest;
  settings.percent = options.at("k").get<double>();
  settings.bank_size = options.at("bank_size").get<std::int64_t>();
  settings.neighbours = options.at("b").get<std::int64_t>();
  const auto& reweight = options.at("reweight");
  if (reweight.is_string()) {
    settings.reweight = parse_reweight(reweight.get<std::string>());
  } else if (settings.flavour == Flavour::kAmazon) {
    settings.reweight = Reweight::kNone;
  }
  if (options.at("bank_precision") == "fp16") settings.stored_type = at::kHalf;
  return settings;
}

std::int64_t Settings::dimension(const std::vector<LayerInfo>& layers) const {
  if (flavour == Flavour::kAmazon) return kAmazonDimension;
  return total_channels(layers);
}

Embedding Settings::embed(const std::vector<at::Tensor>& features) const {
  if (flavour == Flavour::kAmazon) return embed_neighbourhoods(features, upsampling);
  return embed_means(features, upsampling);
}

}  // namespace uad::models::patchcore
