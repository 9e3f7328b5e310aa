// SPDX-License-Identifier: LGPL-2.1-or-later
// uad eval: a model against labelled images.
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "core/base/pixels/image.h"
#include "core/data/image_io.h"
#include "core/data/npy.h"
#include "core/eval/evaluation.h"
#include "core/eval/map_names.h"
#include "core/eval/report/run.h"
#include "core/eval/result_picture.h"
#include "core/eval/stored_scores.h"
#include "core/exec/thread_pool.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/common_options.h"
#include "tools/console.h"
#include "tools/data_sets.h"
#include "tools/published_results.h"
#include "tools/report_file.h"
#include "tools/score_pictures.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExamples = R"(Examples:
  uad eval --model screw.uad --data mvtec/screw --json metrics.json
  uad eval --model screw.uad --data mvtec/screw --report screw.html
  uad eval --model models/ --data mvtec --category all --json -)";

Syntax eval_syntax() {
  Syntax syntax;
  syntax.name = "eval";
  syntax.summary = "Measures a model on labelled images (MVTec layout).";
  syntax.examples = kExamples;
  syntax.options = join({{{.name = "model",
                           .help = "model file; for a group of categories, their folder",
                           .aliases = {"model_path"}},
                          {.name = "json",
                           .help = "write metrics, scores and curves as JSON, which uad report "
                                   "reads; - = stdout, without pictures"},
                          {.name = "report", .help = "write a report, one HTML file"},
                          {.name = "csv", .help = "folder for a table CATEGORY_seedSEED.csv"},
                          {.name = "gallery",
                           .type = OptionType::kInt,
                           .default_value = 6,
                           .help = "worst images of each side that are kept as pictures; 0 = none",
                           .minimum = 0,
                           .maximum = 100},
                          {.name = "save_maps",
                           .help = "folder for score maps (.npy, float32), which uad replay reads"},
                          {.name = "seen_too",
                           .type = OptionType::kBool,
                           .default_value = false,
                           .help = "judge images that the model was trained on as well"},
                          set_threshold_option(),
                          {.name = "part",
                           .help = "K/N: only the K-th of N blocks of every kind, to choose "
                                   "settings on one and measure on another"}},
                         picture_specs(),
                         score_picture_specs(),
                         data_specs(),
                         execution_specs(),
                         ignored_specs()});
  syntax.elsewhere = all_keys();
  return syntax;
}

fs::path model_file(const Arguments& args, const CategoryData& data) {
  if (!args.has("model")) throw UsageError("--model is missing: a .uad file made by uad train.");
  const fs::path model = args.get<std::string>("model");
  return fs::is_directory(model) ? model / (data.name + ".uad") : model;
}

std::string percent(double value) {
  return std::isfinite(value) ? fmt::format("{:.4f}", value) : "undefined";
}

/// What the model's own threshold decides, under the names of both conventions.
void print_decisions(const Evaluation& evaluation) {
  const Confusion& anomaly = evaluation.at_reject;
  const Confusion good = anomaly.good_as_positive();
  const BoxMetrics::Result& boxes = evaluation.boxes;
  fmt::print(stderr, "  at the model's reject threshold {:.6g}: accuracy {}  balanced {}\n",
             evaluation.manifest.thresholds.image.thr, percent(anomaly.accuracy()),
             percent(anomaly.balanced_accuracy()));
  for (const auto& [positive, counts] : {std::pair{"anomaly", anomaly}, {"good", good}}) {
    fmt::print(stderr, "    {} positive: TP {}  FP {}  FN {}  TN {}\n", positive, counts.tp,
               counts.fp, counts.fn, counts.tn);
  }
  if (boxes.defects == 0) return;
  fmt::print(stderr, "    boxes: {} of {} defects have one, {} hit the mask, mean IoU {}\n",
             boxes.detected, boxes.defects, boxes.hits, percent(boxes.mean_iou));
}

void print_summary(const std::string& name, const Evaluation& evaluation) {
  const nlohmann::json counts = to_json(evaluation)["counts"];
  fmt::print(stderr, "{}: {} good, {} defective, {} skipped, {} without mask\n", name,
             counts["good"].dump(), counts["defective"].dump(), counts["skipped"].dump(),
             counts["missing_masks"].dump());
  tell_left_out(evaluation);
  fmt::print(stderr, "  image  AUROC {}  AP {}  F1 {} at {:.6g}\n", percent(evaluation.image_auroc),
             percent(evaluation.image_ap), percent(evaluation.image_f1.f1),
             evaluation.image_f1.threshold);
  fmt::print(stderr, "  pixel  AUROC {}  AP {}  F1 {}  PRO {}\n", percent(evaluation.pixels.auroc),
             percent(evaluation.pixels.average_precision), percent(evaluation.pixels.f1.f1),
             percent(evaluation.pixels.aupro));
  print_decisions(evaluation);
  fmt::print(stderr, "  {:.1f} ms per image\n", evaluation.ms_per_image);
  for (const auto& [key, reason] : evaluation.undefined) {
    fmt::print(stderr, "  {} is undefined: {}\n", key, reason);
  }
  tell_skipped(evaluation.skipped);
}

/// What the files of a frame are called, without extension.
fs::path name_of(const LabelledFrame& frame, const fs::path& root) {
  if (is_video(root)) {
    return fmt::format("{:0>6}", frame.name.substr(frame.name.rfind('#') + 1));
  }
  if (!fs::is_directory(root)) return fs::path(frame.name).stem();
  return name_below(root, frame.name).replace_extension();
}

/// Pictures of the results of one category, where they are wanted.
class PictureWriter {
 public:
  PictureWriter(const Arguments& args, const CategoryData& data, const ScoreScale& map_scale)
      : folder_(args.get<bool>("save_pic") ? args.get<std::string>("save_path") : std::string()),
        root_(data.path),
        scale_(map_scale) {
    if (!folder_.empty()) folder_ /= data.name;
  }

  void save(const LabelledFrame& frame, const ModelOutput& output) {
    if (folder_.empty()) return;
    const Image rgb = to_rgb(frame.view, {0, 0, frame.view.width, frame.view.height});
    const Image none{rgb.width, rgb.height, 1,
                     std::vector<std::uint8_t>(rgb.pixels.size() / 3)};  // of a good frame
    const Image* truth = frame.mask ? &*frame.mask : frame.defective ? nullptr : &none;
    const fs::path file = folder_ / (names_.take(name_of(frame, root_)).string() + "_val.png");
    fs::create_directories(file.parent_path());
    write_png(file, draw_result({rgb, output.map, output.placement, scale_, truth}));
  }

 private:
  fs::path folder_;
  fs::path root_;
  ScoreScale scale_;
  MapNames names_;
};

/// Score maps as files below a folder, under the names of their images; where two are the same,
/// numbered.
class MapWriter {
 public:
  MapWriter(const Arguments& args, const CategoryData& data, bool several)
      : folder_(args.text("save_maps")), root_(data.path) {
    if (several && !folder_.empty()) folder_ /= data.name;
  }

  void save(const LabelledFrame& frame, const ModelOutput& output) {
    if (folder_.empty()) return;
    fs::path name = names_.take(name_of(frame, root_));
    name += ".npy";
    fs::create_directories((folder_ / name).parent_path());
    write_npy(folder_ / name, output.map);
    const StoredMap map{name.string(), {output.map.width, output.map.height}, output.placement};
    maps_.push_back(to_json(map));
  }
  /// Tells where the map of each image is. @param images  in the order of save().
  void describe(nlohmann::json& images) const {
    for (std::size_t i = 0; i < maps_.size(); ++i) images[i]["map"] = maps_[i];
  }

 private:
  fs::path folder_;
  fs::path root_;
  MapNames names_;
  std::vector<nlohmann::json> maps_;
};

/// What --json and --report hold of one category.
nlohmann::json evaluate_one(const fs::path& file, const CategoryData& data, const Arguments& args,
                            std::size_t pictures, MapWriter maps) {
  ProgressBar bar;
  const ModelPtr model = load_model(file, models::method_table(), execution_options(args),
                                    bar.callback(), std::stop_token());
  const auto test = open_split(data, judged_split(model->manifest().method), args);
  const TilePreprocessor preprocessor({model->manifest().input, model->mask()});
  PictureWriter results(args, data, model->manifest().thresholds.map);
  ScorePictures scored(args, data.name);
  report::GalleryKeeper keeper(model->manifest().thresholds.map, pictures);
  const Evaluation evaluation =
      evaluate(*model, preprocessor, *test,
               {.seen_too = args.get<bool>("seen_too"),
                .visit =
                    [&](const LabelledFrame& frame, const ModelOutput& output) {
                      keeper.offer(frame, output);
                      maps.save(frame, output);
                      results.save(frame, output);
                      scored.offer(frame, output);
                    },
                .progress = bar.callback()});
  scored.write(*test);
  print_summary(data.name, evaluation);
  const SetFigures figures = set_figures_of(evaluation, args.get<double>("set_threshold"));
  if (args.was_given("set_threshold")) print_set_figures(figures);
  nlohmann::json record =
      report::make_record(evaluation, file, data.path, pictures > 0 ? &keeper.gallery() : nullptr);
  record["category"] = data.name;
  record["set_figures"] = to_json(figures);
  maps.describe(record["images"]);
  return record;
}

/// Mean of a metric over the categories where it is defined; null where there is none.
nlohmann::json mean_of(const nlohmann::json& categories, const char* key) {
  double sum = 0;
  int count = 0;
  for (const auto& [name, metrics] : categories.items()) {
    if (metrics[key].is_null()) continue;
    sum += metrics[key].get<double>();
    ++count;
  }
  return count == 0 ? nlohmann::json() : nlohmann::json(sum / count);
}

nlohmann::json with_mean(const nlohmann::json& categories) {
  nlohmann::json mean;
  for (const char* key : {"image_auroc", "image_ap", "image_f1", "pixel_auroc", "pixel_ap",
                          "pixel_f1", "pixel_pro", "ms_per_image"}) {
    mean[key] = mean_of(categories, key);
  }
  return {{"categories", categories}, {"mean", mean}};
}

/// QualityInspector's table: one row a category and, for a group, their mean.
std::string score_table(const nlohmann::json& categories) {
  std::string text = "category,Image_AUROC,Pixel_AUROC,PRO_score\n";
  const auto add = [&](const std::string& name, const nlohmann::json& figures) {
    text += name;
    for (const char* key : {"image_auroc", "pixel_auroc", "pixel_pro"}) {
      text += figures[key].is_null() ? std::string(",")
                                     : fmt::format(",{:.6f}", figures[key].get<double>());
    }
    text += '\n';
  };
  for (const auto& [name, figures] : categories.items()) add(name, figures);
  if (categories.size() > 1) add("mean", with_mean(categories)["mean"]);
  return text;
}

void write_score_table(const Arguments& args, const nlohmann::json& categories) {
  if (!args.has("csv")) return;
  const auto first = categories.begin();
  const std::string category = args.has("category") ? args.text("category") : first.key();
  const fs::path file =
      fs::path(args.text("csv")) /
      fmt::format("{}_seed{}.csv", category,
                  first.value()["manifest"]["training"]["seed"].get<std::uint64_t>());
  fs::create_directories(file.parent_path());
  write_text(file.string(), score_table(categories));
}

}  // namespace

int run_eval(const Args& args) {
  const Arguments arguments = parse_arguments(eval_syntax(), args);
  announce(arguments, {"save_pic"});
  check_score_pictures(arguments);
  const std::string json = arguments.text("json");
  const std::string page = arguments.text("report");
  prepare_output(json, "--json");
  prepare_output(page, "--report");
  const bool for_file = !page.empty() || (!json.empty() && json != "-");
  const auto pictures = for_file ? arguments.get<std::size_t>("gallery") : 0;
  use_threads(arguments.get<int>("threads"));
  nlohmann::json categories = nlohmann::json::object();
  const std::vector<CategoryData> data = find_data(arguments);
  for (const CategoryData& one : data) {
    categories[one.name] = evaluate_one(model_file(arguments, one), one, arguments, pictures,
                                        MapWriter(arguments, one, data.size() > 1));
  }
  write_score_table(arguments, categories);
  const nlohmann::json record = data.size() == 1 ? *categories.begin() : with_mean(categories);
  if (!json.empty()) write_json(json, record);
  if (!page.empty()) write_report(page, report::parse_runs(record, page), "");
  return 0;
}

}  // namespace uad::tools
