// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/vgg_cam/settings.h"

#include <algorithm>
#include <locale>
#include <sstream>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/geometry/input_spec.h"
#include "core/gradient/training_options.h"
#include "models/vgg_cam/network.h"

namespace uad::models::vgg_cam {

namespace {

/// "1,3" or "[1, 3]".
std::array<double, 2> parse_class_weight(const std::string& text) {
  std::string plain = text;
  for (const char mark : {'[', ']', ','}) std::ranges::replace(plain, mark, ' ');
  std::istringstream words(plain);
  words.imbue(std::locale::classic());
  std::array<double, 2> weights{};
  std::string rest;
  if (words >> weights[0] >> weights[1] && !(words >> rest) && weights[0] > 0 && weights[1] > 0) {
    return weights;
  }
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"class_weight\" must be two numbers above 0, for good and for "
                          "defective images, e.g. 1,3, but is \"{}\".",
                          text));
}

}  // namespace

std::vector<OptionSpec> option_specs() {
  return {
      {.name = "backbone",
       .default_value = "vgg16",
       .help = "network whose last stage is trained; the others need a tenth of vgg16's time",
       .choices = trainable_backbones()},
      {.name = "normalize",
       .help = "of the pixels: none, or imagenet as the weights expect [none for vgg16, as "
               "published; imagenet for the others]",
       .choices = {"none", "imagenet"}},
      epochs_option(10),
      batch_size_option(10),
      learning_rate_option(1e-4),
      {.name = "target_train_accuracy",
       .type = OptionType::kFloat,
       .default_value = 0.98,
       .help = "training ends after an epoch that told more than this share of its images apart; "
               "1 = never",
       .minimum = 0,
       .maximum = 1,
       .of_fit = true},
      {.name = "class_weight",
       .default_value = "1,3",
       .help = "how much a good and a defective image count in the loss",
       .of_fit = true},
      {.name = "heatmap_thres",
       .type = OptionType::kFloat,
       .default_value = 0.7,
       .help = "share of the strongest activation from which a place belongs to the defect",
       .minimum = 0,
       .maximum = 1},
      {.name = "boxes",
       .default_value = "single",
       .help = "around a defect: one box for all of it, or one for each connected part",
       .choices = {"single", "components"}},
  };
}

Settings::Settings(const nlohmann::json& options)
    : backbone(options.at("backbone").get<std::string>()),
      imagenet(options.at("normalize").is_null() ? backbone != "vgg16"
                                                 : options.at("normalize") == "imagenet"),
      epochs(options.at("epochs").get<std::int64_t>()),
      batch_size(options.at("batch_size").get<std::size_t>()),
      learning_rate(options.at("lr").get<double>()),
      target_accuracy(options.at("target_train_accuracy").get<double>()),
      class_weight(parse_class_weight(options.at("class_weight").get<std::string>())),
      heat_threshold(options.at("heatmap_thres").get<double>()) {}

at::Tensor Settings::normalised(const at::Tensor& images) const {
  if (!imagenet) return images;
  const InputSpec spec;  // its mean and std are ImageNet's
  const auto channels = [&](const std::array<float, 3>& values) {
    return at::tensor(at::ArrayRef<float>(values), images.options()).view({1, 3, 1, 1});
  };
  return (images - channels(spec.mean)) / channels(spec.std);
}

}  // namespace uad::models::vgg_cam
