// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/files/manifest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/safetensors_header.h"
#include "core/base/files/strict_json.h"

namespace uad {
namespace {

using nlohmann::json;
using StringMap = std::map<std::string, std::string>;

constexpr double kMaxSide = 32768;  // pixels; as parse_size()
constexpr std::size_t kMaxSelfTestFrames = 4;
constexpr std::size_t kMaxProducts = 10000;

/// One JSON object of the manifest. Every getter demands presence, type and range, and names the
/// field by its whole path.
class Fields {
 public:
  Fields(const json& object, std::string path, const std::string& file)
      : object_(object), path_(std::move(path)), file_(file) {
    if (!object_.is_object()) refuse("", "must be an object");
  }

  Fields child(const std::string& key) const {
    return {need(key), path_.empty() ? key : path_ + "." + key, file_};
  }
  const json& need(const std::string& key) const {
    if (!object_.contains(key)) refuse(key, "is missing");
    return object_[key];
  }
  bool has(const std::string& key) const { return object_.contains(key); }
  const json& object(const std::string& key) const {
    const json& value = need(key);
    if (!value.is_object()) refuse(key, "must be an object", value);
    return value;
  }
  double number(const json& value, const std::string& key, double low, double high) const {
    if (!value.is_number()) refuse(key, "must be a number", value);
    const double found = value.get<double>();
    if (!(found >= low && found <= high)) {
      refuse(key, fmt::format("must be between {} and {}", low, high), value);
    }
    return found;
  }
  double number(const std::string& key, double low = std::numeric_limits<double>::lowest(),
                double high = std::numeric_limits<double>::max()) const {
    return number(need(key), key, low, high);
  }
  std::uint64_t count(const std::string& key) const {
    const json& value = need(key);
    if (!value.is_number_unsigned()) refuse(key, "must be a whole number from 0", value);
    return value.get<std::uint64_t>();
  }
  std::int64_t images(const std::string& key) const {
    const std::uint64_t found = count(key);
    if (found > 1'000'000'000) refuse(key, "must be at most 1000000000", need(key));
    return static_cast<std::int64_t>(found);
  }
  std::string text(const std::string& key) const {
    const json& value = need(key);
    if (!value.is_string()) refuse(key, "must be a text", value);
    return value.get<std::string>();
  }
  std::string precision(const std::string& key) const {
    const std::string found = text(key);
    if (found != "fp32" && found != "bf16" && found != "fp16" && found != "int8") {
      refuse(key, "must be fp32, bf16, fp16 or int8", need(key));
    }
    return found;
  }
  /// 64 lower-case hex digits, or nothing where `optional`.
  std::string hash(const std::string& key, bool optional) const {
    const std::string found = text(key);
    const bool hex = found.size() == 64 && std::all_of(found.begin(), found.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
    if (!hex && !(optional && found.empty())) {
      refuse(key, "must be a SHA-256 of 64 hex digits", need(key));
    }
    return found;
  }
  bool flag(const std::string& key) const {
    const json& value = need(key);
    if (!value.is_boolean()) refuse(key, "must be true or false", value);
    return value.get<bool>();
  }
  const json& array(const std::string& key, std::size_t shortest, std::size_t longest) const {
    const json& value = need(key);
    if (!value.is_array() || value.size() < shortest || value.size() > longest) {
      refuse(key,
             shortest == longest ? fmt::format("must be a list of {} numbers", longest)
                                 : fmt::format("must be a list of at most {} numbers", longest),
             value);
    }
    return value;
  }
  int side(const json& value, const std::string& key) const {
    if (!value.is_number_integer()) refuse(key, "must hold whole numbers", value);
    return static_cast<int>(number(value, key, 0, kMaxSide));
  }
  /// [height, width]
  Size size(const std::string& key) const {
    const json& pair = array(key, 2, 2);
    return {side(pair[1], key), side(pair[0], key)};
  }
  std::array<float, 3> channels(const std::string& key, double low, double high) const {
    const json& list = array(key, 3, 3);
    std::array<float, 3> found{};
    for (std::size_t i = 0; i < found.size(); ++i) {
      found[i] = static_cast<float>(number(list[i], key, low, high));
    }
    return found;
  }
  template <class Read>
  StringMap map(const std::string& key, Read&& read) const {
    const Fields inner = child(key);
    StringMap found;
    for (const auto& [name, value] : inner.object_.items()) found[name] = read(inner, name);
    return found;
  }
  [[noreturn]] void refuse(const std::string& key, const std::string& what,
                           const json& found = nullptr) const {
    const std::string field = path_.empty() ? key : key.empty() ? path_ : path_ + "." + key;
    std::string value = found.dump(-1, ' ', false, json::error_handler_t::replace);
    if (value.size() > 60) value = value.substr(0, 60) + "...";
    throw Error(
        ErrorCode::kBadFile,
        fmt::format("Model file '{}' is damaged: its field '{}' {}{}; copy it again or "
                    "retrain.",
                    file_, field, what, found.is_null() ? std::string() : ", found " + value));
  }

 private:
  const json& object_;
  std::string path_;
  const std::string& file_;
};

json to_json(Size size) { return {size.height, size.width}; }

json to_json(const ScoreScale& scale) {
  return {{"lo", scale.lo}, {"thr", scale.thr}, {"hi", scale.hi}};
}

json to_json(const InputSpec& spec) {
  const Rect& roi = spec.roi;
  json area = nullptr;
  if (!roi.empty()) {
    area = {{"x", roi.x}, {"y", roi.y}, {"width", roi.width}, {"height", roi.height}};
  }
  return {{"roi", area},
          {"resize", to_json(spec.resize)},
          {"keep_aspect", spec.keep_aspect},
          {"cover", spec.cover},
          {"antialias", spec.antialias},
          {"crop", to_json(spec.crop)},
          {"window", to_json(spec.window)},
          {"stride", to_json(spec.stride)},
          {"mean", spec.mean},
          {"std", spec.std}};
}

InputSpec parse_input(const Fields& fields) {
  InputSpec spec;
  if (!fields.need("roi").is_null()) {
    const Fields roi = fields.child("roi");
    spec.roi = {roi.side(roi.need("x"), "x"), roi.side(roi.need("y"), "y"),
                roi.side(roi.need("width"), "width"), roi.side(roi.need("height"), "height")};
    if (spec.roi.empty()) fields.refuse("roi", "must not be empty", fields.need("roi"));
  }
  spec.resize = fields.size("resize");
  spec.keep_aspect = fields.flag("keep_aspect");
  // Files of version 0.1 do not say these two.
  spec.cover = fields.has("cover") && fields.flag("cover");
  spec.antialias = !fields.has("antialias") || fields.flag("antialias");
  spec.crop = fields.size("crop");
  spec.window = fields.size("window");
  spec.stride = fields.size("stride");
  spec.mean = fields.channels("mean", -1000, 1000);
  spec.std = fields.channels("std", 1e-6, 1000);
  return spec;
}

ScoreScale parse_scale(const Fields& parent, const std::string& key) {
  const Fields fields = parent.child(key);
  const ScoreScale scale{fields.number("lo"), fields.number("thr"), fields.number("hi")};
  if (!(scale.lo < scale.thr && scale.thr < scale.hi)) {
    parent.refuse(key, "must have lo < thr < hi", parent.need(key));
  }
  return scale;
}

Thresholds parse_thresholds(const Fields& fields) {
  Thresholds found{parse_scale(fields, "image_norm"), parse_scale(fields, "map_norm"),
                   fields.number("warn"), fields.number("min_area", 0)};
  if (fields.number("reject") != found.image.thr) {
    fields.refuse("reject", "must equal image_norm.thr", fields.need("reject"));
  }
  if (found.warn > found.image.thr) {
    fields.refuse("warn", "must not exceed reject", fields.need("warn"));
  }
  return found;
}

TrainingFacts parse_training(const Fields& fields) {
  const auto text = [](const Fields& inner, const std::string& key) { return inner.text(key); };
  return {fields.images("images"),
          fields.images("skipped"),
          fields.hash("data_sha256", true),
          fields.count("seed"),
          fields.text("created_utc"),
          fields.map("versions", text),
          fields.hash("continued_from", true),
          fields.images("marked_good")};
}

SelfTest parse_self_test(const Fields& fields) {
  SelfTest test{fields.precision("precision"), fields.number("tolerance", 1e-9, 1), {}};
  const auto lowest = std::numeric_limits<double>::lowest();
  for (const json& score : fields.array("scores", 0, kMaxSelfTestFrames)) {
    test.scores.push_back(
        fields.number(score, "scores", lowest, std::numeric_limits<double>::max()));
  }
  return test;
}

void check_version(const Fields& fields, const std::string& file_name) {
  const std::uint64_t found = fields.count("format_version");
  if (found == kModelFormatVersion) return;
  throw Error(
      ErrorCode::kBadFile,
      fmt::format("Model file '{}' has format version {}, this program reads version {}: {}.",
                  file_name, found, kModelFormatVersion,
                  found > kModelFormatVersion ? "install a newer gst-uad, or retrain with this one"
                                              : "retrain the model with this program"));
}

}  // namespace

std::string known_product(const std::vector<std::string>& products, const std::string& product) {
  return std::ranges::find(products, product) == products.end() ? "" : product;
}

Manifest parse_manifest(const std::string& json_text, const std::string& file_name) {
  const json root = parse_strict_json(json_text, file_name);
  const Fields fields(root, "", file_name);
  check_version(fields, file_name);
  Manifest manifest;
  manifest.method = fields.text("method");
  if (manifest.method.empty()) fields.refuse("method", "must name a method");
  manifest.options = fields.object("options");
  manifest.input = parse_input(fields.child("input"));
  manifest.thresholds = parse_thresholds(fields);
  const Fields origin = fields.child("threshold_origin");
  manifest.threshold_origin = {origin.text("rule"), origin.images("images"),
                               origin.object("facts")};
  manifest.training = parse_training(fields.child("training"));
  const Fields backbone = fields.child("backbone");
  manifest.backbone = {backbone.text("name"), backbone.hash("weights_sha256", true)};
  if (fields.has("products")) {  // files of version 0.1 do not say them
    for (const json& product : fields.array("products", 0, kMaxProducts)) {
      if (!product.is_string()) fields.refuse("products", "must be names", product);
      manifest.products.push_back(product.get<std::string>());
    }
  }
  manifest.precision = fields.precision("precision");
  manifest.tensor_sha256 =
      fields.map("tensors", [](const Fields& f, const std::string& k) { return f.hash(k, false); });
  manifest.self_test = parse_self_test(fields.child("self_test"));
  return manifest;
}

std::string to_json_text(const Manifest& m) {
  const json root = {
      {"format_version", m.format_version},
      {"method", m.method},
      {"options", m.options},
      {"input", to_json(m.input)},
      {"image_norm", to_json(m.thresholds.image)},
      {"map_norm", to_json(m.thresholds.map)},
      {"warn", m.thresholds.warn},
      {"reject", m.thresholds.image.thr},
      {"min_area", m.thresholds.min_area},
      {"threshold_origin",
       {{"rule", m.threshold_origin.rule},
        {"images", m.threshold_origin.images},
        {"facts", m.threshold_origin.facts}}},
      {"training",
       {{"images", m.training.images},
        {"skipped", m.training.skipped},
        {"data_sha256", m.training.data_sha256},
        {"seed", m.training.seed},
        {"created_utc", m.training.created_utc},
        {"versions", m.training.versions},
        {"continued_from", m.training.continued_from},
        {"marked_good", m.training.marked_good}}},
      {"backbone", {{"name", m.backbone.name}, {"weights_sha256", m.backbone.weights_sha256}}},
      {"products", m.products},
      {"precision", m.precision},
      {"tensors", m.tensor_sha256},
      {"self_test",
       {{"precision", m.self_test.precision},
        {"tolerance", m.self_test.tolerance},
        {"scores", m.self_test.scores}}},
  };
  return root.dump(-1, ' ', false, json::error_handler_t::replace);
}

Manifest read_manifest(const std::filesystem::path& path) {
  InputFile file(path);
  const std::string text = read_header_text(file);
  const std::uint64_t data_bytes = file.bytes() - 8 - text.size();
  const SafetensorsHeader header = parse_header(text, data_bytes, file.name());
  const auto manifest = header.metadata.find("uad");
  if (manifest == header.metadata.end()) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("'{}' is a safetensors file but no model file: it has no manifest. "
                            "Use a file written by 'uad train'.",
                            file.name()));
  }
  return parse_manifest(manifest->second, file.name());
}

}  // namespace uad
