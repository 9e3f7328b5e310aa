// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_marks.h"

#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files/line_log.h"
#include "gst-plugins/common/backend_loader.h"
#include "gst-plugins/common/guarded.h"
#include "gst-plugins/common/result.h"

namespace uad::gst {
namespace {

namespace fs = std::filesystem;

constexpr char kModel[] = "learnt.uad";
constexpr char kCandidate[] = "candidate.uad";   // written, not in service yet
constexpr char kBefore[] = "learnt-before.uad";  // what undo brings back
constexpr char kUndone[] = "undone.uad";
constexpr char kList[] = "marks.jsonl";
constexpr char kNotListed[] = "What was done is not in the list of evidence: ";

std::string picture_name(const Analysis& analysis) {
  std::string time = iso_8601(analysis.capture.utc_us);
  std::erase(time, ':');  // not allowed in names on some file systems
  return fmt::format("{}-frame{}.png", time, analysis.capture.frame);
}

std::string sentence(const std::exception_ptr& reason) {
  try {
    std::rethrow_exception(reason);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "for an unknown reason";
  }
}

}  // namespace

void MarkReport::prepare(const InferSettings& settings) {
  if (settings.evidence.empty()) {
    if (settings.kept_defects.empty()) return;
    throw Error(
        ErrorCode::kBadOption,
        "kept-defects is looked at when a frame is marked as good, which needs a folder for "
        "the marked frames. Set evidence=FOLDER, or leave kept-defects empty.");
  }
  std::error_code error;
  if (!settings.kept_defects.empty() && !fs::is_directory(settings.kept_defects, error)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("The folder \"{}\" of kept-defects does not exist. Set it to a folder "
                            "of images that must stay rejected, or leave it empty.",
                            settings.kept_defects));
  }
  fs::create_directories(settings.evidence, error);
  if (!fs::is_directory(settings.evidence)) {
    throw Error(ErrorCode::kFailed,
                fmt::format("The folder \"{}\" of evidence cannot be made ({}). Set evidence to a "
                            "folder that may be written to.",
                            settings.evidence, error.message()));
  }
}

GoodMarks::Events MarkReport::events(std::function<LoadSlot<Analyser>&()> models,
                                     std::function<void(const AnalyserPtr&)> learnt) {
  return {[this, models = std::move(models), learnt = std::move(learnt)](
              const JudgedFrame& frame, const std::stop_token& stop) {
            learn(frame, stop, models(), learnt);
          },
          [this](const JudgedFrame& frame, const std::exception_ptr& reason) {
            refuse(frame, reason);
          }};
}

void MarkReport::learn(const JudgedFrame& frame, const std::stop_token& stop,
                       LoadSlot<Analyser>& models,
                       const std::function<void(const AnalyserPtr&)>& learnt) {
  const InferSettings now = settings_();
  const fs::path folder = now.evidence;
  if (folder.empty())
    throw Error(ErrorCode::kBadOption, "There is no folder for it; set evidence.");
  backend().save_picture(*frame.tiles, folder / picture_name(*frame.analysis));
  while (true) {
    const AnalyserPtr from = models.settled(stop);
    if (!from) throw Error(ErrorCode::kFailed, "There is no model in service.");
    const Thresholds in_force =
        apply(from->model().manifest().thresholds, now.inference(true).overrides);
    const Outcome outcome{
        true,
        from->model().learn_good(
            *frame.tiles,
            {in_force.image.thr, in_force.warn, now.kept_defects, folder / kCandidate}, stop),
        ""};
    const AnalyserPtr to = outcome.learnt.model ? from->with(outcome.learnt.model) : nullptr;
    if (stop.stop_requested()) return;
    if (to && !models.put_after(from, to)) continue;  // meanwhile another model came
    if (to) {
      const std::lock_guard guard(lock_);
      std::error_code absent;
      fs::rename(folder / kModel, folder / kBefore, absent);
      if (absent) fs::remove(folder / kBefore, absent);
      fs::rename(folder / kCandidate, folder / kModel);
      newest_ = outcome.learnt.model->sha256();
    }
    tell(frame, outcome);
    if (to) learnt(to);
    return;
  }
}

void MarkReport::undo(const std::string& undone) {
  const std::lock_guard guard(lock_);
  if (newest_ != undone) return;
  newest_.clear();
  const fs::path folder = settings_().evidence;
  std::error_code absent;
  fs::rename(folder / kModel, folder / kUndone, absent);
  fs::rename(folder / kBefore, folder / kModel, absent);
  try {
    LineLog(folder / kList).append(nlohmann::json({{"undone", undone}}).dump());
  } catch (...) {
    post_warning(element_, std::current_exception(), kNotListed);
  }
}

void MarkReport::refuse(const JudgedFrame& frame, const std::exception_ptr& reason) {
  Outcome outcome;
  outcome.learnt.before = outcome.learnt.after = frame.analysis->score;
  outcome.why = sentence(reason);
  post_warning(element_, reason, "The frame was not learnt, and the model in service stays: ");
  tell(frame, outcome);
}

/// On the bus, and in the list beside the pictures.
void MarkReport::tell(const JudgedFrame& frame, const Outcome& outcome) const {
  const Analysis& analysis = *frame.analysis;
  const LearntGood& learnt = outcome.learnt;
  const fs::path folder = settings_().evidence;
  const std::string model = learnt.model ? (folder / kModel).string() : "";
  const std::string sha256 = learnt.model ? learnt.model->sha256() : analysis.model_sha256;
  const nlohmann::ordered_json line = {{"utc", iso_8601(analysis.capture.utc_us)},
                                       {"frame", analysis.capture.frame},
                                       {"pts", analysis.capture.pts},
                                       {"picture", picture_name(analysis)},
                                       {"verdict", to_string(analysis.verdict)},
                                       {"accepted", outcome.accepted},
                                       {"score_before", learnt.before},
                                       {"score_after", learnt.after},
                                       {"defects", learnt.defects},
                                       {"model_sha256", sha256},
                                       {"why", outcome.why}};
  try {
    LineLog(folder / kList).append(line.dump());
  } catch (...) {
    post_warning(element_, std::current_exception(), kNotListed);
  }
  gst_element_post_message(
      element_,
      element_message(
          element_,
          gst_structure_new("uad-update", "frame", G_TYPE_UINT64, analysis.capture.frame, "pts",
                            G_TYPE_UINT64, analysis.capture.pts, "accepted", G_TYPE_BOOLEAN,
                            outcome.accepted ? TRUE : FALSE, "score-before", G_TYPE_DOUBLE,
                            learnt.before, "score-after", G_TYPE_DOUBLE, learnt.after, "defects",
                            G_TYPE_UINT64, static_cast<guint64>(learnt.defects), "path",
                            G_TYPE_STRING, model.c_str(), "sha256", G_TYPE_STRING, sha256.c_str(),
                            "why", G_TYPE_STRING, outcome.why.c_str(), nullptr))
          .release());
}

void MarkReport::unknown(std::uint64_t pts) const {
  const InferSettings now = settings_();
  const std::string wanted =
      pts == kNoTime ? "that did not pass" : fmt::format("of time {} ns", pts);
  const std::string fix =
      now.evidence.empty()
          ? "Set evidence=FOLDER, so that frames are remembered."
          : fmt::format("The last {} that did not pass are; raise remember.", now.remember);
  const Error error(ErrorCode::kNotFound,
                    fmt::format("No frame {} is remembered. {}", wanted, fix));
  post_warning(element_, std::make_exception_ptr(error), "Nothing was marked as good: ");
}

}  // namespace uad::gst
