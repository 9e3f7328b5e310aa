// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/distance.h"
#include "core/exec/simd.h"
#include "models/patchcore/principal_axes.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kProductsPerChunk = 2LL << 20;  // 8 MB of products: stays in the cache
constexpr std::int64_t kSmallBank = 512;               // below, a bound costs more than it saves
constexpr float kRounding = 1e-5F;  // share of the squared lengths that float32 products may lose

// Index of a smallest half_norms - products.
UAD_SIMD std::int64_t smallest_at(const float* half_norms, const float* products,
                                  std::int64_t count) {
  constexpr std::int64_t kLanes = 16;
  float best[kLanes];
  std::int32_t at[kLanes] = {};
  std::fill_n(best, kLanes, std::numeric_limits<float>::infinity());
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) {
      const float value = half_norms[i + lane] - products[i + lane];
      at[lane] = value < best[lane] ? static_cast<std::int32_t>(i + lane) : at[lane];
      best[lane] = value < best[lane] ? value : best[lane];
    }
  }
  const auto lane = std::min_element(best, best + kLanes) - best;
  float smallest = best[lane];
  std::int64_t index = at[lane];
  for (; i < count; ++i) {
    if (half_norms[i] - products[i] < smallest) smallest = half_norms[i] - products[i], index = i;
  }
  return index;
}

// Writes the indices whose half_norms - products is at most `limit`, ascending, and returns how
// many there are; `found` has room for `most`, more are only counted up to most + 1.
UAD_SIMD std::int64_t at_most(const float* half_norms, const float* products, std::int64_t count,
                              float limit, std::int64_t most, std::int32_t* found) {
  constexpr std::int64_t kLanes = 64;
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t end = std::min(i + kLanes, count);
    int any = 0;
    for (std::int64_t j = i; j < end; ++j) any += half_norms[j] - products[j] <= limit ? 1 : 0;
    if (any == 0) continue;
    for (std::int64_t j = i; j < end; ++j) {
      if (half_norms[j] - products[j] > limit) continue;
      if (hits == most) return most + 1;
      found[hits++] = static_cast<std::int32_t>(j);
    }
  }
  return hits;
}

SearchSpace make_space(const at::Tensor& columns) {
  const at::Tensor norms = columns.square().sum(0).contiguous();
  const at::Tensor half = norms / 2;
  const float* values = half.const_data_ptr<float>();
  return {columns, {values, values + half.numel()}, norms.max().item<float>()};
}

// [n, leading + 1]: leading coordinates, then the length of what they leave out.
at::Tensor bound_points(const at::Tensor& rotated, std::int64_t leading) {
  const at::Tensor rest = rotated.slice(1, leading).square().sum(1, true).sqrt();
  return at::cat({rotated.slice(1, 0, leading), rest}, 1);
}

}  // namespace

Bank::Bank(const at::Tensor& vectors) : vectors_(vectors.contiguous()) {
  if (!vectors_.is_cpu()) return;
  full_ = make_space(vectors_.t());
  if (vectors_.size(0) >= kSmallBank) arrange();
}

void Bank::arrange() {
  centre_ = vectors_.mean(0);
  const at::Tensor centred = vectors_ - centre_;
  rotation_ = principal_axes(at::mm(centred.t(), centred));
  leading_ = std::max<std::int64_t>(1, vectors_.size(1) / 4);
  bound_ = make_space(bound_points(at::mm(centred, rotation_), leading_).t().contiguous());
}

Nearest Bank::nearest(const at::Tensor& queries) const {
  if (queries.dim() != 2 || queries.size(1) != vectors_.size(1)) {
    throw Error(ErrorCode::kShapeMismatch,
                fmt::format("The memory bank holds vectors of {} values, but was asked for [{}].",
                            vectors_.size(1), fmt::join(queries.sizes(), ", ")));
  }
  if (!vectors_.is_cpu()) return nearest_on_gpu(queries);
  const at::Tensor packed = queries.contiguous();
  Nearest nearest{at::empty({packed.size(0)}, at::kFloat), at::empty({packed.size(0)}, at::kLong)};
  std::vector<std::int64_t> rows(static_cast<std::size_t>(packed.size(0)));
  std::iota(rows.begin(), rows.end(), 0);
  if (rotation_.defined()) {
    const at::Tensor points = bound_points(at::mm(packed - centre_, rotation_), leading_);
    rows = search(bound_, points, packed, rows, vectors_.size(0) / 32, nearest);
  }
  if (rows.empty()) return nearest;
  const bool all = std::ssize(rows) == packed.size(0);
  const at::Tensor left = all ? packed : packed.index_select(0, at::tensor(rows));
  static_cast<void>(search(full_, left, packed, rows, vectors_.size(0), nearest));
  return nearest;
}

// `points` are the queries `rows` of `queries`, in the search space. Writes their neighbours and
// returns the rows that more than `most` vectors are candidates for.
std::vector<std::int64_t> Bank::search(const SearchSpace& space, const at::Tensor& points,
                                       const at::Tensor& queries,
                                       const std::vector<std::int64_t>& rows, std::int64_t most,
                                       Nearest& nearest) const {
  const std::int64_t count = vectors_.size(0);
  const std::int64_t step = std::max<std::int64_t>(16, kProductsPerChunk / count);
  std::vector<std::int64_t> undecided;
  std::mutex mutex;  // guards `undecided`
  for (std::int64_t first = 0; first < points.size(0); first += step) {
    const at::Tensor chunk = points.slice(0, first, std::min(points.size(0), first + step));
    const at::Tensor products = at::mm(chunk, space.columns);
    const at::Tensor norms = chunk.square().sum(1);
    at::parallel_for(0, chunk.size(0), 16, [&](std::int64_t begin, std::int64_t end) {
      std::vector<std::int32_t> candidates(static_cast<std::size_t>(most));
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = rows[first + i];
        const Row query{queries.const_data_ptr<float>() + row * queries.size(1),
                        products.const_data_ptr<float>() + i * count,
                        norms.const_data_ptr<float>()[i]};
        const Best best = best_of(space, query, candidates);
        if (best.index < 0) {
          const std::scoped_lock lock(mutex);
          undecided.push_back(row);
          continue;
        }
        nearest.distance.mutable_data_ptr<float>()[row] = std::sqrt(best.squared);
        nearest.index.mutable_data_ptr<std::int64_t>()[row] = best.index;
      }
    });
  }
  return undecided;
}

// Nothing (index -1) if there are more candidates than `candidates` has room for.
Bank::Best Bank::best_of(const SearchSpace& space, const Row& query,
                         std::vector<std::int32_t>& candidates) const {
  const std::int64_t count = vectors_.size(0);
  const float* half = space.half_norms.data();
  const std::int64_t likely = smallest_at(half, query.products, count);
  const float rounding = kRounding * (query.norm + space.largest_norm);
  const auto measure = [&](std::int64_t index, float limit) {
    const std::int64_t size = vectors_.size(1);
    return squared_distance(query.values, vectors_.const_data_ptr<float>() + index * size, size,
                            limit);
  };
  Best best{measure(likely, std::numeric_limits<float>::infinity()), likely};
  const float limit = (best.squared * (1 + kRounding) + rounding - query.norm) / 2;
  const std::int64_t found =
      at_most(half, query.products, count, limit, std::ssize(candidates), candidates.data());
  if (found > std::ssize(candidates)) return {};
  for (std::int64_t i = 0; i < found; ++i) {
    const float squared = measure(candidates[i], best.squared);
    if (squared < best.squared || (squared == best.squared && candidates[i] < best.index)) {
      best = {squared, candidates[i]};
    }
  }
  return best;
}

// A few candidates by products, then distances by subtraction.
Nearest Bank::nearest_on_gpu(const at::Tensor& queries) const {
  constexpr std::int64_t kCandidates = 8;
  const std::int64_t step = std::max<std::int64_t>(16, (64LL << 20) / vectors_.size(0));
  const at::Tensor half_norms = vectors_.square().sum(1) / 2;
  std::vector<at::Tensor> distances;
  std::vector<at::Tensor> indices;
  for (const at::Tensor& chunk : queries.split(step)) {
    const at::Tensor bound = at::addmm(half_norms, chunk, vectors_.t(), 1, -1);
    const std::int64_t candidates = std::min(kCandidates, vectors_.size(0));
    const at::Tensor near =
        std::get<0>(std::get<1>(bound.topk(candidates, 1, /*largest=*/false)).sort(1));
    const at::Tensor direct = (vectors_.index({near}) - chunk.unsqueeze(1)).square().sum(2).sqrt();
    const auto [distance, position] = direct.min(1);
    distances.push_back(distance);
    indices.push_back(near.gather(1, position.unsqueeze(1)).squeeze(1));
  }
  return {at::cat(distances), at::cat(indices)};
}

std::vector<float> Bank::distances(const at::Tensor& query) const {
  const at::Tensor direct =
      at::square(vectors_ - query.to(vectors_.device())).sum(1).sqrt().to(at::kCPU).contiguous();
  const float* values = direct.const_data_ptr<float>();
  return {values, values + direct.numel()};
}

}  // namespace uad::models::patchcore
