// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/shadow_worker.h"

#include "core/base/engine/niceness.h"
#include "core/base/error.h"

namespace uad {

using Clock = LatestWorker::Clock;

namespace {

/// Whether the two would cut the same tiles out of every frame.
bool cut_alike(const Model& a, const Model& b) {
  return a.manifest().input == b.manifest().input && a.mask() == b.mask();
}

}  // namespace

ShadowWorker::ShadowWorker(Events events)
    : events_(std::move(events)),
      models_(std::move(events_.model)),
      worker_(nullptr, kBackgroundNiceness) {}

ShadowWorker::Counts ShadowWorker::counts() const {
  const AnalyserPtr shadow = models_.get();
  const std::lock_guard guard(lock_);
  return shadow && shadow == counted_.lock() ? counts_ : Counts{};
}

std::optional<ShadowWorker::Rival> ShadowWorker::prepare(const Analyser& main,
                                                         const TileBatchPtr& tiles, const Cut& cut,
                                                         const ThresholdOverrides& overrides) {
  const AnalyserPtr shadow = models_.get();
  if (!shadow || !in_use(shadow)) return std::nullopt;
  try {
    if (!cut) {
      require_same_preparation(shadow->model().manifest().input, tiles->spec());
      return Rival{shadow, tiles, overrides};
    }
    if (cut_alike(main.model(), shadow->model())) return Rival{shadow, tiles, overrides};
    if (!worker_.free_by(Clock::now())) return std::nullopt;
    return Rival{shadow, cut(*shadow), overrides};
  } catch (...) {
    give_up_on(shadow);
    return std::nullopt;
  }
}

void ShadowWorker::compare(const Rival& rival, const AnalysisPtr& main) {
  worker_.submit([this, rival, main] {
    judge(rival, main);
    return AnalysisPtr();
  });
}

AnalyserPtr ShadowWorker::take() {
  const AnalyserPtr shadow = models_.get();
  return shadow && in_use(shadow) ? models_.take() : nullptr;
}

void ShadowWorker::stop() {
  worker_.stop();
  const std::lock_guard guard(lock_);
  counts_ = {};
  disagreement_.reset();
  failed_.reset();
  counted_.reset();
}

void ShadowWorker::judge(const Rival& rival, const AnalysisPtr& main) {
  if (!in_use(rival.shadow)) return;
  try {
    const AnalysisPtr shadow = rival.shadow->analyse(
        *rival.tiles, main->capture, rival.overrides, 0,
        known_product(rival.shadow->model().manifest().products, main->product));
    // meanwhile it may have become the main model, or another one may have come
    if (rival.shadow == models_.get()) count(rival.shadow, main, shadow);
  } catch (...) {
    give_up_on(rival.shadow);
  }
}

void ShadowWorker::count(const AnalyserPtr& model, const AnalysisPtr& main,
                         const AnalysisPtr& shadow) {
  constexpr auto kNewsAgain = std::chrono::seconds(1);
  const bool differ = main->verdict != shadow->verdict;
  Disagreement found{main, shadow};
  {
    const std::lock_guard guard(lock_);
    if (counted_.lock() != model) {
      counted_ = model;
      counts_ = {};
      disagreement_.reset();
    }
    ++counts_.compared;
    if (differ) ++counts_.disagreed;
    const auto kind =
        differ ? std::optional(std::pair(main->verdict, shadow->verdict)) : std::nullopt;
    const auto before = std::exchange(disagreement_, kind);
    found.news = differ && (kind != before || Clock::now() - told_ >= kNewsAgain);
    if (found.news) told_ = Clock::now();
  }
  if (differ && events_.differed) events_.differed(found);
}

/// Called from a handler: the exception says why.
void ShadowWorker::give_up_on(const AnalyserPtr& shadow) {
  {
    const std::lock_guard guard(lock_);
    if (failed_.lock() == shadow) return;
    failed_ = shadow;
  }
  if (events_.failed && shadow == models_.get()) events_.failed(std::current_exception());
}

bool ShadowWorker::in_use(const AnalyserPtr& shadow) const {
  const std::lock_guard guard(lock_);
  return failed_.lock() != shadow;
}

}  // namespace uad
