// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/input_options.h"

#include "core/data/image_io.h"

namespace uad {
namespace {

// Sizes are [height, width], as in YAML.
Size size_of(const nlohmann::json& value, Size otherwise) {
  return value.is_null() ? otherwise : Size{value[1].get<int>(), value[0].get<int>()};
}

bool flag_of(const nlohmann::json& value, bool otherwise) {
  return value.is_null() ? otherwise : value.get<bool>();
}

std::string text_of(const nlohmann::json& value) {
  return value.is_null() ? std::string() : value.get<std::string>();
}

}  // namespace

const std::vector<OptionSpec>& input_option_specs() {
  static const std::vector<OptionSpec> specs{
      {.name = "resize",
       .type = OptionType::kSize,
       .help = "size the picture is scaled to; a zero side follows from the aspect ratio; 0x0 = "
               "as it is [the method's]"},
      {.name = "keep_aspect",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "scale to the largest size of the same aspect ratio inside --resize"},
      {.name = "cover",
       .type = OptionType::kBool,
       .help =
           "scale to the smallest size of the same aspect ratio around --resize [the method's]"},
      {.name = "antialias",
       .type = OptionType::kBool,
       .help =
           "average what shrinks; false = each pixel from the four nearest alone [the method's]"},
      {.name = "crop_size",
       .type = OptionType::kSize,
       .help = "part in the middle that is kept after scaling; 0x0 = all",
       .aliases = {"crop"}},
      {.name = "window",
       .type = OptionType::kSize,
       .help = "sliding window over the scaled picture; 0x0 = none"},
      {.name = "stride", .type = OptionType::kSize, .help = "step of the window [half of it]"},
      {.name = "roi", .help = "part of the frame that is looked at: x,y,width,height"},
      {.name = "mask", .help = "picture over the region of interest; black = ignore"},
  };
  return specs;
}

PreprocessOptions read_input_options(const nlohmann::json& values, const InputSpec& otherwise) {
  PreprocessOptions options;
  InputSpec& spec = options.spec;
  spec = otherwise;
  spec.resize = size_of(values.at("resize"), spec.resize);
  spec.keep_aspect = values.at("keep_aspect").get<bool>();
  spec.cover = flag_of(values.at("cover"), spec.cover && !spec.keep_aspect);
  spec.antialias = flag_of(values.at("antialias"), spec.antialias);
  spec.crop = size_of(values.at("crop_size"), spec.crop);
  spec.window = size_of(values.at("window"), spec.window);
  spec.stride = size_of(values.at("stride"), spec.stride);
  spec.roi = parse_rect(text_of(values.at("roi")), "roi");
  if (const std::string mask = text_of(values.at("mask")); !mask.empty()) {
    options.mask = read_mask(mask);
  }
  return options;
}

}  // namespace uad
