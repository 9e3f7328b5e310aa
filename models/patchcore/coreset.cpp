// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/coreset.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>

#include <ATen/ATen.h>

#include "core/base/error.h"
#include "core/base/simd.h"
#include "core/exec/distance.h"
#include "core/exec/parallel.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kLanes = 16;    // points side by side
constexpr std::int64_t kLeading = 16;  // coordinates looked at first
constexpr std::int64_t kBlocksPerTask = 512;
constexpr float kRoundingMargin = 1.0F + 1e-4F;  // float32 sums of a few hundred squares
constexpr std::int64_t kLeastPicks = 64;
constexpr float kPicked = -1.0F;  // below every squared distance

struct Farthest {
  float distance = kPicked;
  std::int64_t index = -1;
  // The farther one; the lower index on ties, in whatever order the tasks end.
  void keep(float other, std::int64_t at) {
    if (other > distance || (other == distance && at < index)) distance = other, index = at;
  }
};

// Squared distances from a centre to kLanes points in the leading coordinates.
// @param block  [leading][kLanes], so that lanes are points.
UAD_SIMD void leading_distances(const float* block, const float* centre, std::int64_t leading,
                                float* distances) {
  float sums[kLanes] = {};
  for (std::int64_t i = 0; i < leading; ++i) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float difference = block[i * kLanes + lane] - centre[i];
      sums[lane] += difference * difference;
    }
  }
  std::copy_n(sums, kLanes, distances);
}

// The points, and how far each is from its nearest centre. Distances are squared throughout.
class Selection {
 public:
  explicit Selection(const at::Tensor& points)
      : points_(points.const_data_ptr<float>()),
        count_(points.size(0)),
        size_(points.size(1)),
        leading_(std::min(kLeading, size_)),
        nearest_(static_cast<std::size_t>(count_), std::numeric_limits<float>::infinity()) {
    const std::int64_t blocks = (count_ + kLanes - 1) / kLanes;
    blocks_.resize(static_cast<std::size_t>(blocks * leading_ * kLanes));
    for (std::int64_t i = 0; i < count_; ++i) {
      float* lane = blocks_.data() + i / kLanes * leading_ * kLanes + i % kLanes;
      for (std::int64_t j = 0; j < leading_; ++j) lane[j * kLanes] = point(i)[j];
    }
  }

  void mark_picked(std::int64_t index) { nearest_[static_cast<std::size_t>(index)] = kPicked; }

  /// Before any centre: every point is as far as it is from these points on average.
  /// @return the farthest.
  Farthest begin_at_mean_distance(const std::vector<std::int64_t>& starts) {
    Farthest farthest;
    for (std::int64_t i = 0; i < count_; ++i) {
      float sum = 0;
      for (const std::int64_t start : starts) {
        sum += std::sqrt(squared_distance(point(i), point(start), size_));
      }
      const float mean = sum / static_cast<float>(starts.size());
      nearest_[static_cast<std::size_t>(i)] = mean * mean;
      farthest.keep(mean * mean, i);
    }
    return farthest;
  }

  /// @return the point now farthest from all centres.
  Farthest add_centre(std::int64_t index) {
    const float* centre = point(index);
    Farthest farthest;
    std::mutex mutex;  // guards `farthest`
    const std::int64_t blocks = (count_ + kLanes - 1) / kLanes;
    parallel_for(0, blocks, kBlocksPerTask, [&](std::int64_t begin, std::int64_t end) {
      Farthest best;
      for (std::int64_t block = begin; block < end; ++block) visit(block, centre, best);
      const std::scoped_lock lock(mutex);
      farthest.keep(best.distance, best.index);
    });
    return farthest;
  }

 private:
  [[nodiscard]] const float* point(std::int64_t index) const { return points_ + index * size_; }

  void visit(std::int64_t block, const float* centre, Farthest& farthest) {
    float distances[kLanes];
    leading_distances(blocks_.data() + block * leading_ * kLanes, centre, leading_, distances);
    const std::int64_t first = block * kLanes;
    const std::int64_t lanes = std::min(kLanes, count_ - first);
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      const std::int64_t i = first + lane;
      float& nearest = nearest_[static_cast<std::size_t>(i)];
      if (distances[lane] <= nearest * kRoundingMargin) {
        nearest = std::min(nearest, squared_distance(point(i), centre, size_, nearest));
      }
      farthest.keep(nearest, i);
    }
  }

  const float* points_;
  std::int64_t count_;
  std::int64_t size_;
  std::int64_t leading_;
  std::vector<float> blocks_;   // leading coordinates, [blocks][leading][kLanes]
  std::vector<float> nearest_;  // squared; kPicked for picked points
};

}  // namespace

std::int64_t selection_floats() { return kLeading + 1; }

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

at::Tensor uniform_projection(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  const double bound = 1 / std::sqrt(static_cast<double>(columns));
  std::mt19937_64 random(seed);
  at::Tensor matrix = at::empty({rows, columns}, at::kFloat);
  float* entries = matrix.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const double uniform = static_cast<double>(random() >> 11) * 0x1p-53;
    entries[i] = static_cast<float>((2 * uniform - 1) * bound);
  }
  return matrix;
}

std::vector<std::int64_t> select_centres(const at::Tensor& points, std::int64_t count,
                                         const Start& start, const FitControl& control) {
  Selection selection(points);
  std::vector<std::int64_t> picked;
  picked.reserve(static_cast<std::size_t>(count));
  Farthest farthest;
  if (start.picked) {
    farthest.index = start.points.front();
  } else if (start.points.size() == 1) {
    farthest = selection.add_centre(start.points.front());
  } else {
    farthest = selection.begin_at_mean_distance(start.points);
  }
  while (true) {
    picked.push_back(farthest.index);
    selection.mark_picked(farthest.index);
    if (static_cast<std::int64_t>(picked.size()) == count) return picked;
    if (control.cancel.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "The selection of the memory bank was cancelled.");
    }
    farthest = selection.add_centre(farthest.index);
    const auto made = static_cast<std::int64_t>(picked.size());
    if (made >= count / 4 && made >= kLeastPicks && control.enough.stop_requested()) return picked;
    if (picked.size() % 64 != 0) continue;
    if (control.progress) {
      control.progress(static_cast<double>(picked.size()) / static_cast<double>(count),
                       "selecting the memory bank");
    }
    if (control.figure) control.figure("coverage", std::sqrt(std::max(farthest.distance, 0.0F)));
  }
}

}  // namespace uad::models::patchcore
