// SPDX-License-Identifier: LGPL-2.1-or-later
// uad demo: the whole job on a fresh machine. Draws a production line, learns its good parts with
// the weight-free backbone, measures, and runs the GStreamer pipeline on a video of it.
#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "core/data/image_io.h"
#include "core/data/image_source.h"
#include "core/data/mvtec.h"
#include "core/demo/line.h"
#include "core/eval/evaluation.h"
#include "core/eval/metrics.h"
#include "core/eval/report/run.h"
#include "core/exec/thread_pool.h"
#include "core/loaded_model.h"
#include "core/preprocessor.h"
#include "core/training.h"
#include "models/registry.h"
#include "tools/arguments.h"
#include "tools/commands.h"
#include "tools/console.h"
#include "tools/demo_video.h"
#include "tools/report_file.h"
#include "tools/video_source.h"

namespace uad::tools {
namespace {

namespace fs = std::filesystem;
using demo::Defect;
using demo::ProductionLine;

constexpr Size kPicture{256, 256};
constexpr Size kVideo{640, 360};
constexpr int kTrainImages = 40;
constexpr int kGoodTestImages = 20;
constexpr int kDefectiveImages = 10;  // of each kind
constexpr int kVideoFrames = 12 * kDemoFramesPerSecond;
constexpr std::size_t kPictures = 6;  // of each side, in the report
constexpr int kBeltSpeed = 12;        // pixels a frame
constexpr std::array kKinds{Defect::kScratch, Defect::kStain, Defect::kDent};

constexpr const char* kExamples =
    R"(Leaves in the folder: dataset/ (MVTec layout), line.mp4, model.uad, metrics.json,
report.html, annotated.mp4, still-*.png.

Examples:
  uad demo
  uad demo --output /tmp/line --seed 7)";

Syntax demo_syntax() {
  Syntax syntax;
  syntax.name = "demo";
  syntax.summary = "Draws a small production line, learns it, measures it and runs the pipeline.";
  syntax.examples = kExamples;
  syntax.options = {
      {.name = "output", .default_value = "uad-demo", .help = "folder for everything"},
      {.name = "seed",
       .type = OptionType::kInt,
       .default_value = 3,
       .help = "of parts, defects and training",
       .minimum = 0,
       .maximum = 1000000},
      {.name = "threads",
       .type = OptionType::kInt,
       .default_value = 0,
       .help = "CPU threads; 0 = one per core",
       .minimum = 0,
       .maximum = 1024},
  };
  syntax.elsewhere = all_keys();
  return syntax;
}

class Demo {
 public:
  Demo(fs::path folder, std::uint64_t seed) : folder_(std::move(folder)), seed_(seed) {}

  void run() {
    draw_dataset();
    learn();
    measure();
    draw_video();
    judge_video();
    save_stills();
    write_json((folder_ / "metrics.json").string(), metrics_);
    print_summary();
  }

 private:
  /// Pictures of one folder, each of another part, shifted along the belt by up to `shift`.
  void draw_pictures(const std::string& kind, const fs::path& images, Defect defect, int count,
                     int shift, std::uint64_t stream) {
    ProductionLine line(seed_ * 64 + stream, [defect](int) { return defect; });
    const fs::path masks = folder_ / "dataset" / "ground_truth" / kind;
    fs::create_directories(images);
    if (defect != Defect::kNone) fs::create_directories(masks);
    for (int i = 0; i < count; ++i) {
      const int offset = (i * 37 + 11) % (2 * shift + 1) - shift;
      const double exposure = 1 + 0.03 * std::sin(1.7 * i);
      const demo::Shot shot = line.shoot(kPicture, i * ProductionLine::kPitch + offset, exposure);
      write_png(images / fmt::format("{:03}.png", i), shot.image);
      if (defect != Defect::kNone) write_png(masks / fmt::format("{:03}_mask.png", i), shot.mask);
      bar_.update(static_cast<double>(i + 1) / count, "drawing " + kind);
    }
  }

  void draw_dataset() {
    const fs::path root = folder_ / "dataset";
    draw_pictures("good", root / "train" / "good", Defect::kNone, kTrainImages, 45, 1);
    draw_pictures("good", root / "test" / "good", Defect::kNone, kGoodTestImages, 30, 2);
    std::uint64_t stream = 3;
    for (const Defect defect : kKinds) {
      const std::string kind = to_string(defect);
      draw_pictures(kind, root / "test" / kind, defect, kDefectiveImages, 30, stream++);
    }
  }

  /// Parts come and go at the left and right edge, and half a part looks like nothing learned.
  static Image inner_part() {
    constexpr int kColumns = 16;
    Image mask{kColumns, 1, 1, std::vector<std::uint8_t>(kColumns, 255)};
    mask.pixels.front() = 0;
    mask.pixels.back() = 0;
    return mask;
  }

  void learn() {
    TrainRequest request;
    request.method = &models::find_method("patchcore");
    // With the filter bank, nearest neighbour tells the video's frames better apart than bilinear.
    request.options = {{"backbone", "gabor"}, {"k", kBankPercent}, {"upsampling", "nearest"}};
    request.preprocess.spec = input_of(*request.method, request.options);
    request.preprocess.spec.resize = {};  // so that pictures and video are seen at one scale
    request.preprocess.mask = inner_part();
    request.holdout = 0.4;  // thresholds from 16 pictures are steadier than from 8
    request.seed = seed_;
    request.control.progress = bar_.callback();
    const auto good = open_images(list_mvtec(folder_ / "dataset").train);
    save_model_file(model_file(), train(*good, request));
  }

  void measure() {
    const ModelPtr model = load_model(model_file(), models::method_table(), {}, {}, {});
    const TilePreprocessor preprocessor({model->manifest().input, model->mask()});
    const auto test = open_images(list_mvtec(folder_ / "dataset").test);
    report::GalleryKeeper keeper(model->manifest().thresholds.map, kPictures);
    const Evaluation evaluation =
        evaluate(*model, preprocessor, *test,
                 {.visit = [&](const LabelledFrame& frame,
                               const ModelOutput& output) { keeper.offer(frame, output); },
                  .progress = bar_.callback()});
    metrics_ =
        report::make_record(evaluation, model_file(), folder_ / "dataset", &keeper.gallery());
    write_report((folder_ / "report.html").string(), report::parse_runs(metrics_, "metrics.json"),
                 "Inspection report: the demo line");
  }

  /// Every third part is defective, and the kinds take turns.
  static Defect video_defect(int part) {
    if (part < 0 || part % 3 != 2) return Defect::kNone;
    return kKinds[static_cast<std::size_t>(part / 3) % kKinds.size()];
  }

  void draw_video() {
    ProductionLine line(seed_ * 64 + 9, video_defect);
    record_video(
        folder_ / "line.mp4", kVideoFrames,
        [&](int frame) {
          const double exposure = 1 + 0.015 * std::sin(0.05 * frame);
          demo::Shot shot = line.shoot(kVideo, frame * kBeltSpeed, exposure);
          const auto visible = std::ranges::count(shot.mask.pixels, 255);
          defect_pixels_.push_back(static_cast<int>(visible));
          return std::move(shot.image);
        },
        bar_.callback());
  }

  void judge_video() {
    pipeline_ = judge_pipeline(model_file(), folder_ / "line.mp4", folder_ / "annotated.mp4");
    verdicts_ = run_judge_pipeline(pipeline_, kVideoFrames, bar_.callback());
    std::vector<float> scores;
    std::vector<std::uint8_t> labels;
    nlohmann::json frames = nlohmann::json::array();
    for (std::size_t i = 0; i < verdicts_.size(); ++i) {
      const FrameVerdict& frame = verdicts_[i];
      const int visible = defect_pixels_.at(i);
      frames.push_back({{"frame", i},
                        {"score", frame.score},
                        {"verdict", frame.verdict},
                        {"defect_pixels", visible}});
      if (visible > 0 && visible < kClearlyVisible) continue;  // cut off by the edge of the picture
      scores.push_back(static_cast<float>(frame.score));
      labels.push_back(visible > 0 ? 1 : 0);
    }
    metrics_["video"] = {{"frame_auroc", auroc(scores, labels)}, {"frames", frames}};
  }

  /// One still of the middle of every part's way: with its verdict painted on it.
  void save_stills() {
    VideoSource annotated(folder_ / "annotated.mp4", {});
    int index = 0;
    while (const auto frame = annotated.next()) {
      const int part = index * kBeltSpeed / ProductionLine::kPitch;
      const bool middle = index * kBeltSpeed % ProductionLine::kPitch < kBeltSpeed;
      if (middle && (part < 2 || video_defect(part) != Defect::kNone)) {
        const fs::path file =
            folder_ / fmt::format("still-{}-{}.png", part, to_string(video_defect(part)));
        write_png(file, to_rgb(frame->view, {0, 0, frame->view.width, frame->view.height}));
        stills_.push_back(file);
      }
      ++index;
    }
  }

  void print_summary() const {
    const auto metric = [](const nlohmann::json& value) {
      return value.is_null() ? std::string("undefined")
                             : fmt::format("{:.4f}", value.get<double>());
    };
    const auto rejected = std::ranges::count(verdicts_, "REJECT", &FrameVerdict::verdict);
    fmt::print("data set    {} training, {} test pictures\n", kTrainImages,
               metrics_["counts"]["images"].dump());
    fmt::print("image       AUROC {}   AP {}\n", metric(metrics_["image_auroc"]),
               metric(metrics_["image_ap"]));
    fmt::print("pixel       AUROC {}   PRO {}\n", metric(metrics_["pixel_auroc"]),
               metric(metrics_["pixel_pro"]));
    fmt::print("video       {} frames, {} rejected, frame AUROC {}\n", verdicts_.size(), rejected,
               metric(metrics_["video"]["frame_auroc"]));
    fmt::print("files       {}\n", folder_.string());
    for (const char* name :
         {"model.uad", "metrics.json", "report.html", "line.mp4", "annotated.mp4"}) {
      fmt::print("            {}\n", (folder_ / name).string());
    }
    for (const fs::path& still : stills_) fmt::print("            {}\n", still.string());
    fmt::print("the same by hand:\n  gst-launch-1.0 {}\n", pipeline_);
  }

  [[nodiscard]] fs::path model_file() const { return folder_ / "model.uad"; }

  static constexpr double kBankPercent = 10;
  static constexpr int kClearlyVisible = 40;  // defect pixels

  fs::path folder_;
  std::uint64_t seed_;
  ProgressBar bar_;
  nlohmann::json metrics_;
  std::vector<int> defect_pixels_;  // of every video frame
  std::vector<FrameVerdict> verdicts_;
  std::vector<fs::path> stills_;
  std::string pipeline_;
};

}  // namespace

int run_demo(const Args& args) {
  const Arguments arguments = parse_arguments(demo_syntax(), args);
  use_threads(arguments.get<int>("threads"));
  const fs::path folder = arguments.get<std::string>("output");
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    throw Error(ErrorCode::kFailed,
                fmt::format("Folder \"{}\" cannot be made ({}). Change --output.", folder.string(),
                            failure.message()));
  }
  Demo(folder, arguments.get<std::uint64_t>("seed")).run();
  return 0;
}

}  // namespace uad::tools
