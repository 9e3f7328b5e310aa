// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/common_options.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/distributed/processes.h"
#include "tools/console.h"

namespace uad::tools {
namespace fs = std::filesystem;

std::vector<OptionSpec> execution_specs() {
  return {
      {.name = "device", .default_value = "auto", .help = "auto, cpu, cuda, cuda:N or gpu"},
      {.name = "precision",
       .default_value = "model",
       .help = "arithmetic; model = what the model was calibrated with",
       .choices = {"model", "fp32", "bf16", "fp16", "auto"}},
      {.name = "threads",
       .type = OptionType::kInt,
       .default_value = 0,
       .help = "CPU threads; 0 = one per core",
       .minimum = 0,
       .maximum = 1024},
  };
}

std::vector<OptionSpec> promise_specs() {
  return {
      {.name = "false_reject_rate",
       .type = OptionType::kFloat,
       .help = "promised: at most this share of good parts is rejected, e.g. 0.001"},
      {.name = "confidence",
       .type = OptionType::kFloat,
       .default_value = PromiseTarget().confidence,
       .help = "chance that the promise is kept"},
      {.name = "part_of",
       .default_value = "frame",
       .help = "which frames show one part and count once: frame (each its own), folder (those of "
               "one folder), frames:N (N that follow each other)"},
  };
}

std::vector<OptionSpec> threshold_specs(const std::string& otherwise) {
  const std::string unless = fmt::format(" [{}]", otherwise);
  return {
      {.name = "warn_threshold", .type = OptionType::kFloat, .help = "raw score" + unless},
      {.name = "reject_threshold", .type = OptionType::kFloat, .help = "raw score" + unless},
      {.name = "threshold",
       .type = OptionType::kFloat,
       .help = "where regions begin, on the model's normalised map; 0.5 is the model's" + unless,
       .minimum = 0,
       .maximum = 1},
      {.name = "min_area",
       .type = OptionType::kFloat,
       .help = "smallest region, frame pixels" + unless,
       .minimum = 0},
  };
}

OptionSpec set_threshold_option() {
  return {.name = "set_threshold",
          .type = OptionType::kFloat,
          .default_value = 0.7,
          .help = "threshold on scores that are scaled over the set, lowest = 0, highest = 1",
          .minimum = 0,
          .maximum = 1};
}

std::vector<OptionSpec> picture_specs() {
  return {
      {.name = "save_pic",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "write a picture of every result: image, heat map, mask, segmentation"},
      {.name = "save_path", .default_value = "output", .help = "folder for these pictures"},
  };
}

std::vector<OptionSpec> ignored_specs() {
  std::vector<OptionSpec> specs;
  for (const char* name :
       {"num_workers", "save_pic", "save_model", "print_freq", "test_batch_size", "eval_pro",
        "eval_threshold_steps", "non_partial_auc", "inc", "einsum", "norm", "compute_pro"}) {
    specs.push_back({.name = name});
  }
  specs[6].aliases = {"eval_threthold_step"};  // QualityInspector's spelling
  return specs;
}

std::vector<OptionSpec> join(std::vector<std::vector<OptionSpec>> lists) {
  std::vector<OptionSpec> result;
  for (std::vector<OptionSpec>& list : lists) {
    for (OptionSpec& spec : list) {
      const bool known = std::ranges::any_of(
          result, [&](const OptionSpec& other) { return other.name == spec.name; });
      if (!known) result.push_back(std::move(spec));
    }
  }
  return result;
}

std::string execution_device(const Arguments& args) {
  auto device = args.get<std::string>("device");
  std::ranges::transform(device, device.begin(), [](unsigned char c) { return std::tolower(c); });
  if (device == "xpu") {
    throw Error(ErrorCode::kNoDevice,
                "Device \"xpu\" is not supported. Set device to auto, cpu or cuda.");
  }
  return device == "gpu" ? "cuda" : device;
}

ExecutionOptions execution_options(const Arguments& args) {
  return {.device = execution_device(args),
          .precision = args.get<std::string>("precision"),
          .threads = args.get<int>("threads")};
}

PromiseTarget promise_target(const Arguments& args) {
  PromiseTarget target;
  if (args.has("false_reject_rate")) target.rate = args.get<double>("false_reject_rate");
  target.confidence = args.get<double>("confidence");
  try {
    static_cast<void>(samples_needed(target));
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
  return target;
}

PartRule part_rule(const Arguments& args) {
  try {
    return parse_part_rule(args.get<std::string>("part_of"), "part-of");
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
}

ThresholdWish threshold_wish(const Arguments& args) {
  const auto number = [&](const char* key) {
    return args.has(key) ? args.get<double>(key) : std::nan("");
  };
  return {number("warn_threshold"), number("reject_threshold"), number("threshold"),
          number("min_area")};
}

void announce(const Arguments& args, const std::vector<std::string>& heeded) {
  for (const std::string& text : args.notes) note(text);
  nlohmann::json shown = args.options;
  for (const OptionSpec& spec : ignored_specs()) {
    if (std::ranges::find(heeded, spec.name) != heeded.end()) continue;
    if (args.options.contains(spec.name) && args.has(spec.name)) {
      note(fmt::format("\"{}\" has no effect here.", spec.name));
    }
    shown.erase(spec.name);
  }
  if (is_first_process()) fmt::print(stderr, "configuration:\n{}", to_yaml(shown));
}

fs::path default_model_path(const std::string& save_path, const std::string& name,
                            const Method& method, const nlohmann::json& options) {
  std::vector<std::string> parts;
  if (method.by_gradient) parts.push_back(method.name);
  for (const char* key : {"reduction", "backbone", "k"}) {
    const auto value = options.find(key);
    if (value == options.end() || value->is_null()) continue;
    parts.push_back(value->is_number() ? fmt::format("{}", value->get<double>())
                                       : value->get<std::string>());
  }
  return fs::path(save_path) / fmt::format("{}", fmt::join(parts, "_")) / (name + ".uad");
}

}  // namespace uad::tools
