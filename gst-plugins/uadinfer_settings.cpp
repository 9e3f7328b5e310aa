// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_settings.h"

#include <filesystem>
#include <system_error>

namespace uad::gst {

ExecutionOptions InferSettings::execution() const {
  return {device, nick_of(precision_type(), static_cast<int>(precision)), threads};
}

InferenceOptions InferSettings::inference(bool live) const {
  return {every(live),
          interval,
          std::chrono::milliseconds(max_age_ms),
          {warn_threshold, reject_threshold, min_area},
          product,
          {batch_size, std::chrono::milliseconds(batch_timeout_ms)},
          {std::chrono::milliseconds(deadline_ms), static_cast<std::size_t>(full_coverage)}};
}

bool InferSettings::every(bool live) const {
  return live_policy == LivePolicy::kEvery || (live_policy == LivePolicy::kAuto && !live);
}

bool InferSettings::same_model(const InferSettings& other) const {
  return model == other.model && execution() == other.execution();
}

bool InferSettings::shadow_is_model() const {
  std::error_code absent;
  return !shadow.empty() && (shadow == model || std::filesystem::equivalent(shadow, model, absent));
}

std::size_t InferSettings::frames_to_remember() const {
  return evidence.empty() ? 0 : static_cast<std::size_t>(remember);
}

namespace {

void add_model_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.text({"model", "Model file", "path",
          "Model file (.uad). Written while playing, the new model takes over between two frames; "
          "if it cannot be loaded, the old one stays in service with a warning"},
         &S::model, Writable::kPlaying);
  t.text({"device", "Compute device", "auto, cpu, cuda or cuda:N",
          "Where the network runs; auto: a GPU if there is one and this build can use it, else the "
          "CPU. See active-device for the outcome"},
         &S::device, Writable::kReady);
  t.choice({"precision", "Arithmetic", "choice",
            "Number format of the network; scores are calibrated for model, other formats may "
            "shift them slightly"},
           &S::precision, precision_type(), Writable::kReady);
  t.integer({"threads", "CPU threads", "count",
             "Threads for the network, 0: one per core. One pool serves the whole process; the "
             "largest wish of all elements wins"},
            &S::threads, 0, 1024, Writable::kReady);
}

void add_live_model_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.flag({"watch", "Watch the model file", "",
          "Look at the model file once a second and load it when it was replaced and has come to "
          "rest. A missing or damaged one leaves the model in service, with one warning; before "
          "there is any, frames pass UNSCORED"},
         &S::watch, Writable::kPlaying);
  t.flag({"keep-previous", "Keep the model before", "",
          "Keep the one model that was replaced last in memory, for undo; false lets go of it"},
         &S::keep_previous, Writable::kPlaying);
  t.text({"shadow", "Shadow model", "path",
          "Second model file (.uad) that judges the same frames on spare time, to be compared and "
          "promoted; it uses the thresholds set here, and what a uadpreproc cuts. Empty: none"},
         &S::shadow, Writable::kPlaying);
  t.text({"shadow-log", "Log of disagreements", "path",
          "File to which a line of JSON is added for each frame that the shadow judges "
          "differently; empty: none"},
         &S::shadow_log, Writable::kPlaying);
}

void add_mark_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.text({"evidence", "Folder of marked frames", "path",
          "Folder for the frames marked as good (pictures, marks.jsonl) and the model that has "
          "learnt them, learnt.uad; made if it is missing. Empty: no frame can be marked"},
         &S::evidence, Writable::kPlaying);
  t.integer({"remember", "Frames that can be marked", "frames",
             "How many of the newest frames that did not pass are remembered for mark-good, as the "
             "network saw them: 0.8 MB each at 256x256"},
            &S::remember, 1, 10000, Writable::kPlaying);
  t.text({"kept-defects", "Defects that must stay rejected", "path",
          "Folder of images. A frame marked as good is refused if one of them would pass then; "
          "empty: none"},
         &S::kept_defects, Writable::kPlaying);
}

void add_timing_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.choice({"live-policy", "What waits for what", "choice",
            "latest: video never waits, frames carry the newest result and its age; every: each "
            "frame leaves with its own result; auto: latest if upstream is live, else every"},
           &S::live_policy, live_policy_type(), Writable::kReady);
  t.integer({"interval", "Analysis interval", "frames",
             "Analyse at most every n-th frame, 1: all; the others carry the newest result"},
            &S::interval, 1, G_MAXINT, Writable::kPlaying);
  t.integer({"max-age", "Longest life of a result", "ms",
             "A frame whose newest result is older is UNSCORED, never PASS"},
            &S::max_age_ms, 1, G_MAXINT, Writable::kPlaying);
}

void add_deadline_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.integer({"deadline", "Time for a frame", "ms",
             "So long after its arrival a frame has its result, about: only as many windows are "
             "looked at as fit, the others keep what they said last. The first frame, and the "
             "first of a part, is analysed whole. For models with several windows; 0: off"},
            &S::deadline_ms, 0, 60'000, Writable::kPlaying);
  t.integer({"full-coverage", "Frames until all windows were looked at", "frames",
             "With deadline: every window is looked at once in so many frames, or more often, even "
             "where the time is not enough; 0: as many as there are windows"},
            &S::full_coverage, 0, 10'000, Writable::kPlaying);
}

void add_stream_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.integer({"frames-in-flight", "Frames on their way at once", "frames",
             "Where each frame waits for its own result: so many are taken in before the first "
             "leaves, at most, so that fetching, cutting and network overlap; 1: one after the "
             "other, on the thread that brings them. Holds as many buffers more"},
            &S::frames_in_flight, 1, 64, Writable::kReady);
  t.integer({"batch-size", "Frames in one batch", "frames",
             "So many waiting frames of elements that share the model go through the network "
             "together, at most; the least of those in a batch counts. 1: each by itself"},
            &S::batch_size, 1, 64, Writable::kPlaying);
  t.integer({"batch-timeout", "Longest wait for a batch", "ms",
             "So long at most a frame waits for frames of other elements that share the model, "
             "while the batch is not full and not each of them has one in it; 0: it takes along "
             "those that wait already"},
            &S::batch_timeout_ms, 0, 60'000, Writable::kPlaying);
}

void add_verdict_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.real({"warn-threshold", "Warn threshold", "raw score",
          "Image score from which the verdict is WARN; nan: the model's. At most the reject "
          "threshold"},
         &S::warn_threshold, -G_MAXDOUBLE, G_MAXDOUBLE, Writable::kPlaying);
  t.real(
      {"reject-threshold", "Reject threshold", "raw score",
       "Image score from which the verdict is REJECT, shown as normalised 0.5; nan: the model's"},
      &S::reject_threshold, -G_MAXDOUBLE, G_MAXDOUBLE, Writable::kPlaying);
  t.real({"min-area", "Smallest region", "square pixels of the frame",
          "Smaller regions are not reported; changes neither score nor verdict; nan: the model's"},
         &S::min_area, 0, G_MAXDOUBLE, Writable::kPlaying);
  t.text(
      {"product", "Product in view", "name",
       "For a model of several products (uad info lists them): the one whose usual scores frames "
       "are compared with; empty: the model recognises it. Other models ignore it"},
      &S::product, Writable::kPlaying);
  t.choice({"messages", "When to post uad-result", "choice",
            "Element messages on the bus: for every analysis, when the verdict changes, or never"},
           &S::messages, messages_type(), Writable::kPlaying);
  t.text({"tags", "Tags", "text",
          "Copied into every uad-result message, to tell lines, stations or batches apart"},
         &S::tags, Writable::kPlaying);
}

void add_part_properties(Properties<InferSettings>& t) {
  using S = InferSettings;
  t.choice({"part-boundary", "What separates parts", "choice",
            "One uad-verdict message per part. event: an event uad-part (id, end) or the actions "
            "begin-part and end-part; motion: a part is what stands still between two movements; "
            "period: parts of equal time"},
           &S::part_boundary, part_boundary_type(), Writable::kReady);
  t.integer({"part-period", "Time from part to part", "ms",
             "For part-boundary=period: of the stream's own time, from the first frame on"},
            &S::part_period_ms, 0, G_MAXINT, Writable::kPlaying);
  t.real({"part-motion", "What counts as movement", "grey levels",
          "For part-boundary=motion: mean difference of two frames in a row, of 255; try 3"},
         &S::part_motion, 0, 255, Writable::kPlaying);
  t.text({"part-rule", "Rule of a part", "K/N",
          "A part is REJECT once K of N analysed frames in a row are, WARN once as many are WARN "
          "or REJECT, PASS if at least K were analysed and none was missing for max-age, else "
          "UNSCORED"},
         &S::part_rule, Writable::kPlaying);
  t.flag({"part-hysteresis", "Bad until below warn", "",
          "For parts, a frame after a bad one is bad down to the warn threshold"},
         &S::part_hysteresis, Writable::kPlaying);
  t.integer({"part-hold", "Hold of a rejection", "ms",
             "So long after the frame that made a part REJECT the next one is REJECT too, and "
             "frames count in the next part's window; 0: each part by itself"},
            &S::part_hold_ms, 0, G_MAXINT, Writable::kPlaying);
}

}  // namespace

const Properties<InferSettings>& infer_properties() {
  static const Properties<InferSettings> table = [] {
    Properties<InferSettings> t;
    add_model_properties(t);
    add_live_model_properties(t);
    add_mark_properties(t);
    add_timing_properties(t);
    add_deadline_properties(t);
    add_stream_properties(t);
    add_verdict_properties(t);
    add_part_properties(t);
    add_white_level(t, &InferSettings::white_level);
    return t;
  }();
  return table;
}

void install_infer_readings(GObjectClass* klass) {
  const auto id = [](InferReading reading) {
    return infer_properties().count() + static_cast<guint>(reading);
  };
  const auto read_only = static_cast<GParamFlags>(static_cast<int>(G_PARAM_READABLE) |
                                                  static_cast<int>(G_PARAM_STATIC_STRINGS));
  g_object_class_install_property(
      klass, id(InferReading::kActiveDevice),
      g_param_spec_string("active-device", "Device in use (cpu or cuda:N)",
                          "Where the model in service runs; empty while there is none", "",
                          read_only));
  g_object_class_install_property(
      klass, id(InferReading::kStats),
      g_param_spec_boxed("stats", "Counts (frames) and times (ms)",
                         "uad-stats: frames, analysed, skipped (left without a result of their "
                         "own), unscored, last-ms, mean-ms, model, precision, shadow (its name), "
                         "shadow-compared, shadow-disagreed (with another verdict)",
                         GST_TYPE_STRUCTURE, read_only));
}

void read_infer(const InferenceEngine& engine, InferReading reading, GValue* to) {
  const auto analyser = engine.models().get();
  if (reading == InferReading::kActiveDevice) {
    return g_value_set_string(to, analyser ? analyser->model().device().c_str() : "");
  }
  const StreamCounts counts = engine.health().counts();
  const ShadowWorker::Counts compared = engine.shadow().counts();
  const auto shadow = engine.shadow().models().get();
  g_value_take_boxed(
      to, gst_structure_new(
              "uad-stats", "frames", G_TYPE_UINT64, counts.frames, "analysed", G_TYPE_UINT64,
              counts.analysed, "skipped", G_TYPE_UINT64, counts.skipped, "unscored", G_TYPE_UINT64,
              counts.unscored, "last-ms", G_TYPE_DOUBLE, counts.last_ms, "mean-ms", G_TYPE_DOUBLE,
              counts.mean_ms, "model", G_TYPE_STRING, analyser ? analyser->name().c_str() : "",
              "precision", G_TYPE_STRING, analyser ? analyser->model().precision().c_str() : "",
              "shadow", G_TYPE_STRING, shadow ? shadow->name().c_str() : "", "shadow-compared",
              G_TYPE_UINT64, compared.compared, "shadow-disagreed", G_TYPE_UINT64,
              compared.disagreed, nullptr));
}

}  // namespace uad::gst
