// SPDX-License-Identifier: LGPL-2.1-or-later
// uad info: what a model file holds, in words or as JSON. Reads only its header.
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/files/manifest.h"
#include "core/calibration/origin_text.h"
#include "core/files/model_file.h"
#include "core/loaded_model.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"

namespace uad::tools {
namespace {

constexpr const char* kExamples = R"(Examples:
  uad info screw.uad
  uad info screw.uad --verify --json -)";

Syntax info_syntax() {
  Syntax syntax;
  syntax.name = "info";
  syntax.summary = "Shows what a model file holds and where its thresholds come from.";
  syntax.positional = "MODEL";
  syntax.examples = kExamples;
  syntax.options = {
      {.name = "model",
       .help = "the model file, if not given by itself",
       .aliases = {"model_path"}},
      {.name = "verify",
       .type = OptionType::kBool,
       .default_value = false,
       .help = "read the whole file, check every hash and replay the self-test"},
      {.name = "json", .help = "write everything as JSON; - = stdout"},
  };
  syntax.elsewhere = all_keys();
  return syntax;
}

std::string size_text(Size size) { return size.empty() ? "none" : to_string(size); }

void print_input(const InputSpec& input) {
  fmt::print("input       roi {}, resize {}{}, crop {}, window {}, stride {}\n",
             input.roi.empty() ? "whole frame" : to_string(input.roi), size_text(input.resize),
             input.cover         ? " (covered in its aspect ratio)"
             : input.keep_aspect ? " (aspect ratio kept)"
                                 : "",
             size_text(input.crop), size_text(input.window), size_text(input.stride));
}

void print_scale(const char* name, const ScoreScale& scale) {
  fmt::print("{:<11} {:.6g} = 0, {:.6g} = 0.5, {:.6g} = 1\n", name, scale.lo, scale.thr, scale.hi);
}

void print_manifest(const Manifest& manifest, const std::string& file) {
  const Thresholds& thresholds = manifest.thresholds;
  const ThresholdOrigin& origin = manifest.threshold_origin;
  const TrainingFacts& training = manifest.training;
  fmt::print("file        {} ({:.1f} MB, format {})\n", file,
             static_cast<double>(std::filesystem::file_size(file)) / 1e6, manifest.format_version);
  fmt::print("method      {} {}\n", manifest.method, manifest.options.dump());
  if (!manifest.products.empty()) {
    fmt::print("products    {}\n", fmt::join(manifest.products, ", "));
  }
  if (!manifest.backbone.name.empty()) {
    fmt::print("backbone    {} {}\n", manifest.backbone.name, manifest.backbone.weights_sha256);
  }
  print_input(manifest.input);
  fmt::print("reject      {:.6g}   warn {:.6g}   min area {:.6g} px\n", thresholds.image.thr,
             thresholds.warn, thresholds.min_area);
  fmt::print("            {}; {} scores\n", origin.rule, origin.images);
  for (const std::string& line : origin_lines(origin)) fmt::print("            {}\n", line);
  print_scale("image scale", thresholds.image);
  print_scale("map scale", thresholds.map);
  if (manifest.tensor_sha256.contains("sensitivity")) {
    fmt::print("sensitivity learned: a threshold of its own for every position\n");
  }
  fmt::print("trained     {}, {} images ({} skipped), seed {}\n", training.created_utc,
             training.images, training.skipped, training.seed);
  fmt::print("            data {}\n", training.data_sha256);
  if (!training.continued_from.empty()) {
    fmt::print("            went on from model {}\n", training.continued_from);
  }
  if (training.marked_good > 0) {
    fmt::print("            and {} frame(s) marked as good; the thresholds are those of before\n",
               training.marked_good);
  }
  for (const auto& [name, version] : training.versions) {
    fmt::print("            {} {}\n", name, version);
  }
  fmt::print("self-test   {} frames, {}, tolerance {:.1g}\n", manifest.self_test.scores.size(),
             manifest.self_test.precision, manifest.self_test.tolerance);
  fmt::print("tensors     {}\n", manifest.tensor_sha256.size());
}

}  // namespace

int run_info(const Args& args) {
  const Arguments arguments = parse_arguments(info_syntax(), args);
  std::vector<std::string> files = arguments.paths;
  if (files.empty() && arguments.has("model")) files = {arguments.get<std::string>("model")};
  if (files.size() != 1) throw UsageError("Name one model file. See: uad info --help");
  const std::string& file = files.front();
  const Manifest manifest = read_manifest(file);
  nlohmann::json json = nlohmann::json::parse(to_json_text(manifest));
  json["file"] = file;
  json["bytes"] = std::filesystem::file_size(file);
  if (arguments.get<bool>("verify")) {
    ProgressBar bar;
    const ModelPtr model =
        load_model(file, models::method_table(), {.device = "cpu"}, bar.callback(), {});
    json["sha256"] = model->sha256();
    json["verified"] = true;
    json["ms_per_image"] = model->warm_up_ms();
  }
  if (arguments.has("json")) {
    write_json(arguments.get<std::string>("json"), json);
    return 0;
  }
  print_manifest(manifest, file);
  if (json.contains("verified")) {
    fmt::print("verified    hashes and self-test hold; SHA-256 {}\n",
               json["sha256"].get<std::string>());
  }
  return 0;
}

}  // namespace uad::tools
