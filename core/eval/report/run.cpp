// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/report/run.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"
#include "core/base/files/strict_json.h"

namespace uad::report {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxRecordBytes = 1ULL << 28;
constexpr const char* kMetrics[] = {"image_auroc", "image_ap", "image_f1",  "pixel_auroc",
                                    "pixel_ap",    "pixel_f1", "pixel_pro", "ms_per_image"};

/// Of the right type, but not usable.
struct Unfit {
  std::string reason;
};

[[noreturn]] void refuse(const std::string& source, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("\"{}\" is no run that this program can show: {}. Give a file written by "
                          "uad eval --json of this version.",
                          source, what));
}

double finite(const json& value) {
  const auto number = value.get<double>();
  if (!std::isfinite(number)) throw Unfit{"number out of range"};
  return number;
}

Curve parse_curve(const json& points) {
  Curve curve;
  for (const json& point : points) curve.push_back({finite(point.at(0)), finite(point.at(1))});
  return curve;
}

ScoreScale parse_scale(const json& scale) {
  return {finite(scale.at("lo")), finite(scale.at("thr")), finite(scale.at("hi"))};
}

/// It goes into an attribute of the page, so it must be what it says.
std::string parse_picture(const json& value) {
  static const std::string kStart = "data:image/jpeg;base64,";
  auto uri = value.get<std::string>();
  const bool clean = uri.starts_with(kStart) &&
                     std::all_of(uri.begin() + static_cast<std::ptrdiff_t>(kStart.size()),
                                 uri.end(), [](unsigned char c) {
                                   return std::isalnum(c) != 0 || c == '+' || c == '/' || c == '=';
                                 });
  if (!clean) throw Unfit{"picture of the gallery is no JPEG"};
  return uri;
}

std::vector<GalleryPicture> parse_pictures(const json& list) {
  std::vector<GalleryPicture> pictures;
  for (const json& one : list) {
    pictures.push_back({one.at("path"), one.at("kind"), finite(one.at("score")),
                        parse_picture(one.at("image")), parse_picture(one.at("heatmap"))});
  }
  return pictures;
}

std::string size_text(const json& size) {
  return fmt::format("{}x{}", size.at(1).get<int>(), size.at(0).get<int>());
}

std::string input_text(const json& input) {
  std::string text = "resize " + size_text(input.at("resize"));
  if (size_text(input.at("resize")) == "0x0") text = "full resolution";
  for (const char* key : {"crop", "window", "stride"}) {
    const std::string size = size_text(input.at(key));
    if (size != "0x0") text += fmt::format(", {} {}", key, size);
  }
  if (!input.at("roi").is_null()) text += ", part of the frame";
  return text;
}

std::string method_of(const json& manifest) {
  const auto method = manifest.at("method").get<std::string>();
  const auto backbone = manifest.at("backbone").at("name").get<std::string>();
  return backbone.empty() ? method : method + " on " + backbone;
}

std::vector<Fact> parse_facts(const json& record) {
  const json& manifest = record.at("manifest");
  const json& training = manifest.at("training");
  const json& counts = record.at("counts");
  std::string model = record.value("model", "");
  if (const auto bytes = record.find("model_bytes"); bytes != record.end()) {
    model += fmt::format(" ({:.1f} MB)", finite(*bytes) / 1e6);
  }
  return {
      {"Model", model},
      {"SHA-256 of the model", record.at("model_sha256").get<std::string>()},
      {"Method", method_of(manifest)},
      {"Input", input_text(manifest.at("input"))},
      {"Trained",
       fmt::format("{} on {} good images, seed {}", training.at("created_utc").get<std::string>(),
                   training.at("images").get<std::int64_t>(),
                   training.at("seed").get<std::uint64_t>())},
      {"Test set", record.value("data", "")},
      {"Fingerprint of the test images", record.at("test_sha256").get<std::string>()},
      {"Test images", fmt::format("{} good, {} defective", counts.at("good").get<std::int64_t>(),
                                  counts.at("defective").get<std::int64_t>())},
      {"Device",
       fmt::format("{}, {}, {:.1f} ms per image", record.at("device").get<std::string>(),
                   record.at("precision").get<std::string>(), finite(record.at("ms_per_image")))},
  };
}

void parse_frames(const json& record, Run& run) {
  for (const json& image : record.at("images")) {
    run.frames.push_back({image.at("path"), image.at("kind"), image.at("defective"),
                          static_cast<float>(finite(image.at("score"))), 0});
  }
  if (run.frames.empty()) throw Unfit{"it holds no image"};
  const json& counts = record.at("counts");
  for (const json& image : counts.at("skipped_images")) {
    run.skipped.push_back({image.at("path"), image.at("reason")});
  }
  run.missing_masks = counts.at("missing_masks");
}

Run parse_run(const json& record, const std::string& name, const std::string& source) {
  Run run;
  run.name = name;
  run.source = std::filesystem::path(source).stem().string();
  run.category = record.value("category", "");
  run.data = record.value("data", "");
  run.test_sha256 = record.at("test_sha256");
  for (const char* key : kMetrics) {
    if (!record.at(key).is_null()) run.metrics[key] = finite(record.at(key));
  }
  if (record.contains("model_bytes")) run.metrics["model_bytes"] = finite(record["model_bytes"]);
  run.undefined = record.at("undefined").get<std::map<std::string, std::string>>();
  parse_frames(record, run);
  run.pixels_exact = record.at("pixel_exact");
  const json& manifest = record.at("manifest");
  run.method = method_of(manifest);
  run.thresholds.image = parse_scale(manifest.at("image_norm"));
  run.thresholds.map = parse_scale(manifest.at("map_norm"));
  run.thresholds.warn = finite(manifest.at("warn"));
  const json& origin = manifest.at("threshold_origin");
  run.threshold_origin = {origin.at("rule"), origin.at("images"), origin.at("facts")};
  const json& curves = record.at("curves");
  run.image_curves = {
      parse_curve(curves.at("image_roc")), parse_curve(curves.at("image_precision_recall")), {}};
  run.pixel_curves = {parse_curve(curves.at("pixel_roc")),
                      parse_curve(curves.at("pixel_precision_recall")),
                      parse_curve(curves.at("pixel_pro"))};
  if (const auto gallery = record.find("gallery"); gallery != record.end()) {
    run.gallery =
        Gallery{parse_pictures(gallery->at("defective")), parse_pictures(gallery->at("good"))};
  }
  if (record.contains("replay")) run.replayed = parse_replayed(record["replay"]);
  run.facts = parse_facts(record);
  return run;
}

json to_json(const std::vector<GalleryPicture>& pictures) {
  json list = json::array();
  for (const GalleryPicture& one : pictures) {
    list.push_back({{"path", one.path},
                    {"kind", one.kind},
                    {"score", one.score},
                    {"image", one.image},
                    {"heatmap", one.heatmap}});
  }
  return list;
}

/// What a run is called: its model, which says more than its data.
std::string run_name(const json& record, const std::string& source) {
  const std::string model = std::filesystem::path(record.value("model", "")).stem().string();
  return model.empty() ? std::filesystem::path(source).stem().string() : model;
}

}  // namespace

std::optional<double> Run::metric(const std::string& key) const {
  const auto found = metrics.find(key);
  return found == metrics.end() ? std::nullopt : std::optional(found->second);
}

Confusion Run::decisions() const {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  for (const ScoredFrame& frame : frames) {
    scores.push_back(frame.score);
    labels.push_back(frame.defective ? 1 : 0);
  }
  return confusion_at(scores, labels, thresholds.image.thr);
}

json make_record(const Evaluation& evaluation, const std::filesystem::path& model,
                 const std::filesystem::path& data, const Gallery* gallery) {
  json record = uad::to_json(evaluation);
  record["model"] = model.string();
  record["data"] = data.string();
  std::error_code missing;
  if (const auto bytes = std::filesystem::file_size(model, missing); !missing) {
    record["model_bytes"] = bytes;
  }
  if (gallery != nullptr) {
    record["gallery"] = {{"defective", to_json(gallery->defective)},
                         {"good", to_json(gallery->good)}};
  }
  return record;
}

std::vector<Run> parse_runs(const json& record, const std::string& source) {
  if (!record.is_object()) refuse(source, "it is no JSON object");
  std::vector<Run> runs;
  try {
    if (!record.contains("categories"))
      return {parse_run(record, run_name(record, source), source)};
    for (const auto& [name, one] : record["categories"].items()) {
      runs.push_back(parse_run(one, name, source));
      if (runs.back().category.empty()) runs.back().category = name;
    }
  } catch (const Unfit& unfit) {
    refuse(source, unfit.reason);
  } catch (const json::exception& error) {
    const std::string text = error.what();  // "[json.exception.out_of_range.403] key 'x' not found"
    refuse(source, text.substr(std::min(text.size(), text.find("] ") + 2)));
  }
  if (runs.empty()) refuse(source, "it holds no category");
  return runs;
}

json read_record(const std::filesystem::path& path) {
  InputFile file(path);
  if (file.bytes() > kMaxRecordBytes) refuse(file.name(), "it is larger than 256 MB");
  const std::string text = file.read_rest(kMaxRecordBytes);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{') refuse(file.name(), "it is no JSON");
  return parse_strict_json(text, file.name());
}

std::vector<Run> read_runs(const std::vector<std::filesystem::path>& files) {
  std::vector<Run> runs;
  for (const std::filesystem::path& path : files) {
    for (Run& run : parse_runs(read_record(path), path.string())) {
      const bool taken =
          std::ranges::any_of(runs, [&](const Run& other) { return other.name == run.name; });
      if (taken) run.name += fmt::format(" ({})", path.stem().string());
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

}  // namespace uad::report
