// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_settings.h"

namespace uad::gst {

ExecutionOptions InferSettings::execution() const {
  return {device, nick_of(precision_type(), static_cast<int>(precision)), threads};
}

InferenceOptions InferSettings::inference(bool live) const {
  return {every(live),
          interval,
          std::chrono::milliseconds(max_age_ms),
          {warn_threshold, reject_threshold, min_area}};
}

bool InferSettings::every(bool live) const {
  return live_policy == LivePolicy::kEvery || (live_policy == LivePolicy::kAuto && !live);
}

bool InferSettings::same_model(const InferSettings& other) const {
  return model == other.model && execution() == other.execution();
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
  t.flag({"watch", "Watch the model file", "",
          "Load the model file again when it is replaced; looked at once a second"},
         &S::watch, Writable::kPlaying);
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
  t.choice({"messages", "When to post uad-result", "choice",
            "Element messages on the bus: for every analysis, when the verdict changes, or never"},
           &S::messages, messages_type(), Writable::kPlaying);
  t.text({"tags", "Tags", "text",
          "Copied into every uad-result message, to tell lines, stations or batches apart"},
         &S::tags, Writable::kPlaying);
}

}  // namespace

const Properties<InferSettings>& infer_properties() {
  static const Properties<InferSettings> table = [] {
    Properties<InferSettings> t;
    add_model_properties(t);
    add_timing_properties(t);
    add_verdict_properties(t);
    add_white_level(t, &InferSettings::white_level);
    return t;
  }();
  return table;
}

}  // namespace uad::gst
