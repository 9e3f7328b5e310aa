// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/coreset.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/base/error.h"
#include "core/exec/distance.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kPointsPerTask = 4096;
constexpr float kRoundingMargin = 1.0F + 1e-4F;  // float32 sums of a few hundred squares
constexpr float kPicked = -1.0F;                 // below every squared distance

struct Farthest {
  float distance = kPicked;
  std::int64_t index = -1;
  // The farther one; the lower index on ties, in whatever order the tasks end.
  void keep(float other, std::int64_t at) {
    if (other > distance || (other == distance && at < index)) distance = other, index = at;
  }
};

// The points, and for each the nearest centre so far. Distances are squared throughout.
class Selection {
 public:
  explicit Selection(const at::Tensor& points)
      : points_(points.const_data_ptr<float>()),
        count_(points.size(0)),
        size_(points.size(1)),
        nearest_(static_cast<std::size_t>(count_), std::numeric_limits<float>::infinity()),
        owner_(static_cast<std::size_t>(count_), 0) {}

  void mark_picked(std::int64_t index) { nearest_[static_cast<std::size_t>(index)] = kPicked; }

  /// Lets every point move to the new centre if that is nearer. @return the point now farthest from
  /// all centres.
  Farthest add_centre(std::int64_t index) {
    centres_.push_back(index);
    measure_centres(index);
    Farthest farthest;
    std::mutex mutex;  // guards `farthest`
    at::parallel_for(0, count_, kPointsPerTask, [&](std::int64_t begin, std::int64_t end) {
      const Farthest best = visit(begin, end, index);
      const std::scoped_lock lock(mutex);
      farthest.keep(best.distance, best.index);
    });
    return farthest;
  }

 private:
  [[nodiscard]] const float* point(std::int64_t index) const { return points_ + index * size_; }

  // Distances from the new centre to the earlier ones.
  void measure_centres(std::int64_t index) {
    between_.resize(centres_.size());
    const auto count = static_cast<std::int64_t>(centres_.size());
    at::parallel_for(0, count, 512, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        between_[i] = squared_distance(point(centres_[i]), point(index), size_);
      }
    });
  }

  Farthest visit(std::int64_t begin, std::int64_t end, std::int64_t index) {
    const auto newest = static_cast<std::int32_t>(centres_.size() - 1);
    Farthest farthest;
    for (std::int64_t i = begin; i < end; ++i) {
      float& nearest = nearest_[i];
      // 4 = 2², as everything is squared. The very first centre is its own owner at distance 0.
      if (between_[owner_[i]] < 4 * nearest * kRoundingMargin) {
        const float distance = squared_distance(point(i), point(index), size_, nearest);
        if (distance < nearest) nearest = distance, owner_[i] = newest;
      }
      farthest.keep(nearest, i);
    }
    return farthest;
  }

  const float* points_;
  std::int64_t count_;
  std::int64_t size_;
  std::vector<float> nearest_;         // to the owner; kPicked for picked points
  std::vector<std::int32_t> owner_;    // position in centres_
  std::vector<std::int64_t> centres_;  // the start, then every pick
  std::vector<float> between_;         // newest centre to each of centres_
};

}  // namespace

std::int64_t projected_dimension(std::int64_t points) {
  constexpr double kEps = 0.9;
  return static_cast<std::int64_t>(4 * std::log(static_cast<double>(points)) /
                                   (kEps * kEps / 2 - kEps * kEps * kEps / 3));
}

at::Tensor random_projection(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const double density = 1 / std::sqrt(static_cast<double>(columns));
  const auto value =
      static_cast<float>(std::sqrt(1 / density) / std::sqrt(static_cast<double>(rows)));
  // Top bits of the generator, not a std::distribution: those differ between standard libraries.
  std::mt19937_64 random(seed);
  at::Tensor matrix = at::zeros({rows, columns}, at::kFloat);
  float* entries = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const std::uint64_t bits = random();
    const double uniform = static_cast<double>(bits >> 11) * 0x1p-53;
    if (uniform < density) entries[i] = (bits & 1) != 0 ? value : -value;
  }
  return matrix;
}

std::vector<std::int64_t> select_centres(const at::Tensor& points, std::int64_t count,
                                         std::int64_t start, const ProgressFn& progress,
                                         std::stop_token stop) {
  Selection selection(points);
  std::vector<std::int64_t> picked;
  picked.reserve(static_cast<std::size_t>(count));
  Farthest farthest = selection.add_centre(start);
  while (true) {
    picked.push_back(farthest.index);
    selection.mark_picked(farthest.index);
    if (static_cast<std::int64_t>(picked.size()) == count) return picked;
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "The selection of the memory bank was cancelled.");
    }
    if (progress && picked.size() % 64 == 0) {
      progress(static_cast<double>(picked.size()) / static_cast<double>(count),
               "selecting the memory bank");
    }
    farthest = selection.add_centre(farthest.index);
  }
}

}  // namespace uad::models::patchcore
