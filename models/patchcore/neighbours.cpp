// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/neighbours.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/exec/distance.h"
#include "core/exec/parallel.h"
#include "models/patchcore/principal_axes.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kProductsPerChunk = 2LL << 20;  // 8 MB of products: stays in the cache
constexpr std::int64_t kSmallBank = 512;               // below, a bound costs more than it saves
// What products may lose, as a share of the lengths of the two vectors multiplied: two roundings of
// factors and one of the result for bfloat16 (8 bits), sums of a few hundred terms for float32.
constexpr float kFloat32Loss = 1e-5F;
constexpr float kBfloat16Loss = 1.6F / 256;

// Multiplied in bfloat16 where the CPU has it in hardware: the bound gets a little looser, the
// product several times faster.
SearchSpace make_space(const at::Tensor& columns, bool bf16) {
  const at::Tensor norms = columns.square().sum(0).contiguous();
  const at::Tensor half = norms / 2;
  const float* values = half.const_data_ptr<float>();
  return {bf16 ? columns.to(at::kBFloat16) : columns,
          {values, values + half.numel()},
          norms.max().sqrt().item<float>(),
          bf16 ? kBfloat16Loss : kFloat32Loss};
}

// [n, leading + 1]: leading coordinates, then the length of what they leave out.
at::Tensor bound_points(const at::Tensor& rotated, std::int64_t leading) {
  const at::Tensor rest = rotated.slice(1, leading).square().sum(1, true).sqrt();
  return at::cat({rotated.slice(1, 0, leading), rest}, 1);
}

}  // namespace

Bank::Bank(const at::Tensor& vectors, bool bf16_bound) : vectors_(vectors.contiguous()) {
  if (!vectors_.is_cpu()) return;
  full_ = make_space(vectors_.t(), false);
  if (vectors_.size(0) >= kSmallBank) arrange(bf16_bound);
}

void Bank::arrange(bool bf16_bound) {
  centre_ = vectors_.mean(0);
  const at::Tensor centred = vectors_ - centre_;
  rotation_ = principal_axes(at::mm(centred.t(), centred));
  leading_ = std::max<std::int64_t>(1, vectors_.size(1) / 3);
  bound_ =
      make_space(bound_points(at::mm(centred, rotation_), leading_).t().contiguous(), bf16_bound);
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
    const at::Tensor products = at::mm(chunk.to(space.columns.scalar_type()), space.columns);
    const at::Tensor norms = chunk.square().sum(1);
    parallel_for(0, chunk.size(0), 16, [&](std::int64_t begin, std::int64_t end) {
      ProductScan scan(count);
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t row = rows[first + i];
        scan.set_row(space.half_norms.data(),
                     static_cast<const char*>(products.const_data_ptr()) +
                         i * products.nbytes() / products.size(0),
                     products.scalar_type() == at::kBFloat16);
        const Best best =
            best_of(space, scan, queries.const_data_ptr<float>() + row * queries.size(1),
                    norms.const_data_ptr<float>()[i], most);
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

// Nothing (index -1) if there are more than `most` candidates.
Bank::Best Bank::best_of(const SearchSpace& space, const ProductScan& scan, const float* query,
                         float norm, std::int64_t most) const {
  const std::int64_t size = vectors_.size(1);
  const auto measure = [&](std::int64_t index, float limit) {
    return squared_distance(query, vectors_.const_data_ptr<float>() + index * size, size, limit);
  };
  const std::int64_t likely = scan.smallest();
  Best best{measure(likely, std::numeric_limits<float>::infinity()), likely};
  // In the scan's terms: half the squared distance, less half the query's own squared length. The
  // lengths themselves are off by float32's rounding.
  const float lost = space.product_loss * std::sqrt(norm) * space.largest_length +
                     kFloat32Loss * (norm + space.largest_length * space.largest_length);
  thread_local std::vector<std::int64_t> candidates;
  scan.find_up_to((best.squared * (1 + kFloat32Loss) - norm) / 2 + lost, most, candidates);
  if (std::ssize(candidates) > most) return {};
  for (const std::int64_t candidate : candidates) {
    const float squared = measure(candidate, best.squared);
    if (squared < best.squared || (squared == best.squared && candidate < best.index)) {
      best = {squared, candidate};
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
  if (!vectors_.is_cpu()) {
    const at::Tensor direct = (vectors_ - query).square().sum(1).sqrt().to(at::kCPU);
    const float* values = direct.const_data_ptr<float>();
    return {values, values + direct.numel()};
  }
  std::vector<float> distances(static_cast<std::size_t>(vectors_.size(0)));
  const std::int64_t size = vectors_.size(1);
  const at::Tensor packed = query.contiguous();
  parallel_for(0, std::ssize(distances), 1024, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      distances[i] = std::sqrt(squared_distance(vectors_.const_data_ptr<float>() + i * size,
                                                packed.const_data_ptr<float>(), size));
    }
  });
  return distances;
}

}  // namespace uad::models::patchcore
