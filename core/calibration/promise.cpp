// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/calibration/promise.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "core/base/error.h"

namespace uad {
namespace {

/// Terms of Binomial(n, p) one after the other; in logarithms, because (1 - p)^n may underflow.
class BinomialTerms {
 public:
  BinomialTerms(std::int64_t n, double p)
      : n_(static_cast<double>(n)),
        log_odds_(std::log(p) - std::log1p(-p)),
        log_term_(n_ * std::log1p(-p)) {}
  double next() {
    const double term = std::exp(log_term_);
    log_term_ += std::log((n_ - successes_) / (successes_ + 1)) + log_odds_;
    ++successes_;
    return term;
  }

 private:
  double n_;
  double log_odds_;
  double log_term_;
  double successes_ = 0;
};

/// P(Binomial(n, p) < k)
double binomial_below(std::int64_t n, std::int64_t k, double p) {
  BinomialTerms terms(n, p);
  double sum = 0;
  for (std::int64_t i = 0; i < k; ++i) sum += terms.next();
  return sum;
}

/// The largest k with P(Binomial(n, rate) >= k) >= confidence; 0 if there is none.
std::int64_t highest_order(std::int64_t n, const PromiseTarget& target) {
  const double doubt = 1 - target.confidence;
  BinomialTerms terms(n, target.rate);
  double below = terms.next();
  std::int64_t order = 0;
  while (below <= doubt && order < n) {
    ++order;
    below += terms.next();
  }
  return order;
}

void demand_share(double value, std::string_view option) {
  if (value > 0 && value < 1) return;
  throw Error(ErrorCode::kBadOption,
              fmt::format("Option \"{}\" must be above 0 and below 1, but is {}. Say for instance "
                          "0.001 or 0.95, not 0.1 % or 95.",
                          option, value));
}

}  // namespace

std::int64_t samples_needed(const PromiseTarget& target) {
  demand_share(target.rate, "false-reject-rate");
  demand_share(target.confidence, "confidence");
  const double needed = std::log1p(-target.confidence) / std::log1p(-target.rate);
  return static_cast<std::int64_t>(std::clamp(std::ceil(needed), 1.0, 1e18));
}

double promised_rate(std::int64_t samples, std::int64_t order, double confidence) {
  if (order == 1) return -std::expm1(std::log1p(-confidence) / static_cast<double>(samples));
  double low = 0;
  double high = 1;
  while (true) {  // binomial_below falls with the rate; `high` always keeps the confidence
    const double middle = (low + high) / 2;
    if (middle == low || middle == high) return high;
    (binomial_below(samples, order, middle) <= 1 - confidence ? high : low) = middle;
  }
}

Promise promise_threshold(std::vector<float> scores, const PromiseTarget& target) {
  Promise promise;
  promise.samples = static_cast<std::int64_t>(scores.size());
  promise.needed = samples_needed(target);
  if (scores.empty()) {
    throw Error(ErrorCode::kBadOption,
                "A promised false-reject rate needs the scores of good images, but there is none.");
  }
  const auto broken = std::ranges::find_if_not(scores, [](float s) { return std::isfinite(s); });
  if (broken != scores.end()) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("Thresholds need finite scores, but one of {} good images scored {}. "
                            "Retrain the model.",
                            scores.size(), *broken));
  }
  promise.order = std::max<std::int64_t>(1, highest_order(promise.samples, target));
  promise.rate = promised_rate(promise.samples, promise.order, target.confidence);
  if (promise.reaches_target()) promise.rate = std::min(promise.rate, target.rate);
  const auto chosen = scores.begin() + static_cast<std::ptrdiff_t>(promise.order - 1);
  std::ranges::nth_element(scores, chosen, std::greater<>());
  // Rejected is what reaches the threshold, so the chosen score itself, and its ties, must not.
  promise.threshold = std::nextafter(*chosen, std::numeric_limits<float>::infinity());
  return promise;
}

}  // namespace uad
