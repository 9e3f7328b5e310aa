// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/analyser.h"

#include <utility>

namespace uad {
namespace {

using Clock = std::chrono::steady_clock;

double ms_between(Clock::time_point start, Clock::time_point end) {
  return std::chrono::duration<double, std::milli>(end - start).count();
}

}  // namespace

Analyser::Analyser(ModelPtr model, std::shared_ptr<const Preprocessor> cutter,
                   std::filesystem::path file)
    : model_(std::move(model)),
      cutter_(std::move(cutter)),
      file_(std::move(file)),
      name_(file_.stem().string()) {}

AnalyserPtr Analyser::load(Backend& backend, const std::filesystem::path& file,
                           const ExecutionOptions& options, const ProgressFn& progress,
                           std::stop_token stop) {
  ModelPtr model = backend.load_model(file, options, progress, std::move(stop));
  auto cutter = backend.make_preprocessor({model->manifest().input, model->mask()});
  return AnalyserPtr(new Analyser(std::move(model), std::move(cutter), file));
}

AnalysisPtr Analyser::analyse(const TileBatch& tiles, const Capture& capture,
                              const ThresholdOverrides& overrides, double cut_ms,
                              const std::string& product) const {
  const Clock::time_point started = Clock::now();
  return judge(model_->analyse(tiles, product), started, capture, overrides, cut_ms,
               Coverage::of_all(tiles.plan().origins.size()));
}

AnalysisPtr Analyser::judge(ModelOutput output, Clock::time_point started, const Capture& capture,
                            const ThresholdOverrides& overrides, double cut_ms,
                            const Coverage& coverage) const {
  const Clock::time_point judging = Clock::now();
  Analysis analysis = judge_output(std::move(output), model_->manifest().thresholds, overrides);
  analysis.coverage = coverage;
  if (coverage.stale && analysis.verdict == Verdict::kPass) analysis.verdict = Verdict::kUnscored;
  analysis.model_name = name_;
  analysis.model_sha256 = model_->sha256();
  analysis.capture = capture;
  analysis.timings.cut_ms = cut_ms;
  analysis.timings.wait_ms = ms_between(capture.arrival, started) - cut_ms;
  const Clock::time_point done = Clock::now();
  analysis.timings.judge_ms = ms_between(judging, done);
  analysis.timings.total_ms = ms_between(capture.arrival, done);
  return std::make_shared<const Analysis>(std::move(analysis));
}

}  // namespace uad
