// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/eval/stored_scores.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <sstream>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"
#include "core/base/files/strict_json.h"

namespace uad {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxBytes = 1ULL << 28;

/// Readable, but not usable.
struct Unfit {
  std::string reason;
};

[[noreturn]] void refuse(const std::string& file, const std::string& reason) {
  throw Error(
      ErrorCode::kBadFile,
      fmt::format("\"{}\" holds no scores to replay: {}. Give a file of uad eval --json, of "
                  "uad predict --json, or the JSON lines that a line logs.",
                  file, reason));
}

/// "[json.exception.out_of_range.403] key 'x' not found" without its head.
std::string reason_of(const json::exception& error) {
  const std::string text = error.what();
  const std::size_t head = text.find("] ");
  return head == std::string::npos ? text : text.substr(head + 2);
}

double finite(const json& object, const char* key) {
  const json& value = object.at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw Unfit{fmt::format("{} must be a finite number, found {}", key, value.dump())};
  }
  return value.get<double>();
}

/// JSON has no NaN: null is what becomes of one.
double parse_score(const json& object) {
  if (object.at("score").is_null()) return std::numeric_limits<double>::quiet_NaN();
  return finite(object, "score");
}

Verdict parse_verdict(const json& object) {
  const auto text = object.at("verdict").get<std::string>();
  constexpr std::array kVerdicts{Verdict::kUnscored, Verdict::kPass, Verdict::kWarn,
                                 Verdict::kReject};
  const auto found =
      std::ranges::find_if(kVerdicts, [&](Verdict verdict) { return to_string(verdict) == text; });
  if (found == kVerdicts.end()) {
    throw Unfit{fmt::format("verdict \"{}\" is none of PASS, WARN, REJECT, UNSCORED", text)};
  }
  return *found;
}

ScoreScale parse_scale(const json& parent, const char* key) {
  const json& object = parent.at(key);
  const ScoreScale scale{finite(object, "lo"), finite(object, "thr"), finite(object, "hi")};
  if (!(scale.lo < scale.thr && scale.thr < scale.hi)) {
    throw Unfit{fmt::format("{} must have lo < thr < hi", key)};
  }
  return scale;
}

/// Of uad predict, or of the manifest inside of uad eval's, which has no `region` of its own.
StoredThresholds parse_thresholds(const json& object) {
  StoredThresholds found;
  found.image = parse_scale(object, "image_norm");
  found.map = parse_scale(object, "map_norm");
  found.warn = finite(object, "warn");
  found.reject = finite(object, "reject");
  found.region = object.contains("region") ? finite(object, "region") : found.map.thr;
  found.min_area = finite(object, "min_area");
  if (found.warn > found.reject) throw Unfit{"warn exceeds reject"};
  return found;
}

int parse_side(const json& value) {
  constexpr std::int64_t kMaxSide = 32768;  // pixels; as read_npy()
  const std::int64_t side = value.is_number_integer() ? value.get<std::int64_t>() : 0;
  if (side < 1 || side > kMaxSide) {
    throw Unfit{
        fmt::format("a side of a map must be 1 to {} pixels, found {}", kMaxSide, value.dump())};
  }
  return static_cast<int>(side);
}

RectF parse_placement(const json& object) {
  // Far more than a frame has, and little enough for integers.
  constexpr double kFarthest = 1e6;
  const RectF at{finite(object, "x"), finite(object, "y"), finite(object, "width"),
                 finite(object, "height")};
  const bool fits = std::abs(at.x) <= kFarthest && std::abs(at.y) <= kFarthest && at.width > 0 &&
                    at.width <= kFarthest && at.height > 0 && at.height <= kFarthest;
  if (!fits) throw Unfit{fmt::format("placement {} is no place in a frame", object.dump())};
  return at;
}

/// A name from a file must not reach what lies outside the folder of maps.
std::string parse_map_file(const json& value) {
  const auto name = value.get<std::string>();
  const std::filesystem::path file = name;
  if (name.empty() || file.is_absolute() || std::ranges::find(file, "..") != file.end()) {
    throw Unfit{fmt::format("map file {} is not below the folder of maps", value.dump())};
  }
  return name;
}

std::optional<StoredMap> parse_map(const json& object) {
  if (!object.contains("map")) return std::nullopt;
  const json& map = object["map"];
  const json& size = map.at("size");
  return StoredMap{parse_map_file(map.at("file")),
                   {parse_side(size.at(1)), parse_side(size.at(0))},
                   parse_placement(map.at("placement"))};
}

/// Calls `read` for each object of a list and names the one that fails.
/// @param numbers  by object, where they are not 1, 2, 3...
template <class Read>
void for_each_image(const json& images, const std::string& what, Read&& read,
                    std::span<const std::size_t> numbers = {}) {
  if (!images.is_array()) throw Unfit{"images is no list"};
  if (images.empty()) throw Unfit{fmt::format("it holds no {}", what)};
  for (std::size_t i = 0; i < images.size(); ++i) {
    const std::size_t number = numbers.empty() ? i + 1 : numbers[i];
    try {
      read(images[i]);
    } catch (const Unfit& unfit) {
      throw Unfit{fmt::format("{} {}: {}", what, number, unfit.reason)};
    } catch (const json::exception& error) {
      throw Unfit{fmt::format("{} {}: {}", what, number, reason_of(error))};
    }
  }
}

StoredRun parse_eval(const json& record, const std::string& name) {
  StoredRun run{.name = name, .source = ScoreFile::kEval, .record = record};
  if (record.contains("data") && !record["data"].is_string()) {
    throw Unfit{"data must be the name of a folder"};
  }
  run.thresholds = parse_thresholds(record.at("manifest"));
  const Thresholds used = run.thresholds->with({});
  for_each_image(record.at("images"), "image", [&](const json& image) {
    StoredFrame frame{.name = image.at("path"), .score = parse_score(image)};
    // Files of older versions have no verdict for each image.
    frame.verdict = image.contains("verdict") ? parse_verdict(image) : judge(frame.score, used);
    frame.kind = image.at("kind");
    frame.defective = image.at("defective");
    frame.map = parse_map(image);
    run.frames.push_back(std::move(frame));
  });
  return run;
}

StoredRun parse_predict(const json& images, const std::string& name) {
  StoredRun run{.name = name, .source = ScoreFile::kPredict, .record = {{"images", images}}};
  std::optional<StoredThresholds> first;
  for_each_image(images, "image", [&](const json& image) {
    run.frames.push_back({.name = image.at("path"),
                          .score = parse_score(image),
                          .verdict = parse_verdict(image),
                          .map = parse_map(image)});
    if (image.contains("thresholds")) first = parse_thresholds(image["thresholds"]);
    if (first != run.thresholds && run.frames.size() > 1) {
      throw Unfit{"it was judged by another model or with other thresholds than those before"};
    }
    run.thresholds = first;
  });
  return run;
}

std::string line_name(const json& line, std::size_t number) {
  if (line.contains("path")) return line["path"].get<std::string>();
  std::string name =
      line.contains("frame") ? "frame " + line["frame"].dump() : fmt::format("line {}", number);
  if (line.contains("utc")) name += " of " + line["utc"].get<std::string>();
  return name;
}

/// The objects of all whole lines; the others are counted.
struct Lines {
  json objects = json::array();
  std::vector<std::size_t> numbers;  ///< of the objects' lines, from 1
  std::vector<std::size_t> broken;   ///< numbers of the other lines
};

std::optional<json> parse_json(const std::string& text) {
  try {
    return parse_strict_json(text, "");
  } catch (const Error&) {
    return std::nullopt;
  }
}

Lines split_lines(const std::string& text) {
  Lines lines;
  std::istringstream stream(text);
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::optional<json> object = parse_json(line);
    if (object && object->is_object()) {
      lines.objects.push_back(std::move(*object));
      lines.numbers.push_back(number);
    } else {
      lines.broken.push_back(number);
    }
  }
  return lines;
}

StoredRun parse_lines(Lines lines, const std::string& name) {
  StoredRun run{.name = name, .source = ScoreFile::kLines};
  for_each_image(
      lines.objects, "line",
      [&](const json& line) {
        if (line.contains("part") && !line.contains("score")) {
          throw Unfit{
              "it is the verdict of a part, which has no score; log the verdicts of frames"};
        }
        const std::string model = line.value("model", "");
        if (model != lines.objects.front().value("model", "")) {
          throw Unfit{
              fmt::format("it is of model \"{}\", those before are of another; their scores "
                          "cannot be compared",
                          model)};
        }
        run.frames.push_back({.name = line_name(line, lines.numbers[run.frames.size()]),
                              .score = parse_score(line),
                              .verdict = parse_verdict(line)});
      },
      lines.numbers);
  if (!lines.broken.empty()) {
    run.notes.push_back(
        fmt::format("{} lines are no whole JSON object and were left out (e.g. a number that is "
                    "NaN, or a line that broke off); the first is line {}",
                    lines.broken.size(), lines.broken.front()));
  }
  if (lines.objects.front().contains("shadow_score")) {
    run.notes.emplace_back(
        "these are only the frames that model and shadow judged differently, so shares of them "
        "say nothing about the line");
  }
  run.model = lines.objects.front().value("model", "");
  run.record["images"] = std::move(lines.objects);
  return run;
}

/// Whether it is one JSON text as uad eval or uad predict write it.
bool is_record(const json& whole) {
  return whole.is_array() || whole.contains("images") || whole.contains("categories");
}

/// Decided by the first line that is whole: a log may begin with one that broke off.
bool is_lines(const std::string& text) {
  std::istringstream stream(text);
  std::string line;
  while (std::getline(stream, line)) {
    const std::optional<json> object = parse_json(line);
    if (object && object->is_object()) return !is_record(*object);
  }
  return false;
}

/// Of uad eval; without a manifest, what a replay made of a list of uad predict.
StoredRun parse_one(const json& record, const std::string& name) {
  return record.contains("manifest") ? parse_eval(record, name)
                                     : parse_predict(record.at("images"), name);
}

/// A list of one: an initializer list would copy the run.
std::vector<StoredRun> alone(StoredRun run) {
  std::vector<StoredRun> runs;
  runs.push_back(std::move(run));
  return runs;
}

std::vector<StoredRun> parse_record(const json& record, const std::string& name) {
  if (record.is_array()) return alone(parse_predict(record, name));
  if (!record.contains("categories")) return alone(parse_one(record, name));
  std::vector<StoredRun> runs;
  for (const auto& [category, one] : record.at("categories").items()) {
    runs.push_back(parse_one(one, category));
    runs.back().is_category = true;
  }
  if (runs.empty()) throw Unfit{"it holds no category"};
  return runs;
}

std::vector<StoredRun> parse_text(const std::string& text, const std::string& name) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string::npos) throw Unfit{"it is empty"};
  const std::optional<json> whole = parse_json(text);
  if (whole && is_record(*whole)) return parse_record(*whole, name);
  if (text[start] != '[' && is_lines(text)) return alone(parse_lines(split_lines(text), name));
  if (whole && whole->is_object()) return parse_record(*whole, name);
  throw Unfit{text[start] == '{' || text[start] == '[' ? "its JSON is cut off or damaged"
                                                       : "it is no JSON"};
}

}  // namespace

StoredThresholds StoredThresholds::of(const Thresholds& model) {
  return {model.image, model.map, model.warn, model.image.thr, model.map.thr, model.min_area};
}

StoredThresholds StoredThresholds::judged_with(const Thresholds& used) const {
  return {image, map, used.warn, used.image.thr, used.map.thr, used.min_area};
}

Thresholds StoredThresholds::with(const ThresholdWish& wish) const {
  ThresholdOverrides overrides{wish.warn, wish.reject, wish.min_area};
  if (std::isnan(wish.reject) && reject != image.thr) overrides.reject = reject;
  Thresholds result = apply({image, map, warn, min_area}, overrides);
  const double raw = std::isnan(wish.region) ? region
                     : wish.region == 0.5    ? map.thr
                                             : map.raw(wish.region);
  if (raw != map.thr) result.map = map.with_threshold(raw);
  return result;
}

json to_json(const Region& region) {
  return {{"x", region.box.x},
          {"y", region.box.y},
          {"width", region.box.width},
          {"height", region.box.height},
          {"area", region.area},
          {"centroid", {region.centroid_x, region.centroid_y}},
          {"max_score", region.max_score},
          {"mean_score", region.mean_score}};
}

json to_json(const StoredThresholds& thresholds) {
  const auto scale = [](const ScoreScale& one) {
    return json{{"lo", one.lo}, {"thr", one.thr}, {"hi", one.hi}};
  };
  return {{"warn", thresholds.warn},
          {"reject", thresholds.reject},
          {"region", thresholds.region},
          {"min_area", thresholds.min_area},
          {"image_norm", scale(thresholds.image)},
          {"map_norm", scale(thresholds.map)}};
}

json to_json(const StoredMap& map) {
  const RectF& at = map.placement;
  return {{"file", map.file},
          {"size", {map.size.height, map.size.width}},
          {"placement", {{"x", at.x}, {"y", at.y}, {"width", at.width}, {"height", at.height}}}};
}

std::vector<StoredRun> read_scores(const std::filesystem::path& path) {
  InputFile file(path);
  if (file.bytes() > kMaxBytes) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("\"{}\" is larger than 256 MB. Give a part of it, e.g. its last lines.",
                            file.name()));
  }
  const std::string text = file.read_rest(kMaxBytes);
  try {
    return parse_text(text, path.stem().string());
  } catch (const Unfit& unfit) {
    refuse(file.name(), unfit.reason);
  } catch (const json::exception& error) {
    refuse(file.name(), reason_of(error));
  }
}

}  // namespace uad
