// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/patchcore/patch_store.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include <ATen/ATen.h>

#include "core/distributed/exchange.h"
#include "models/patchcore/coreset.h"
#include "models/patchcore/principal_axes.h"

namespace uad::models::patchcore {

namespace {

constexpr std::int64_t kAmazonProjection = 128;
constexpr std::size_t kAmazonStarts = 10;
constexpr std::int64_t kUnsplit = std::numeric_limits<std::int64_t>::max();

// Distinct points where the selection begins. Taken modulo, because std distributions differ.
Start draw_start(Flavour flavour, std::int64_t count, std::mt19937_64& random) {
  const std::size_t wanted = std::min<std::size_t>(flavour == Flavour::kAmazon ? kAmazonStarts : 1,
                                                   static_cast<std::size_t>(count));
  Start start{.points = {}, .picked = flavour == Flavour::kAnomalib};
  while (start.points.size() < wanted) {
    const auto point = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(count));
    if (std::ranges::find(start.points, point) == start.points.end()) {
      start.points.push_back(point);
    }
  }
  return start;
}

}  // namespace

void PatchStore::add(const at::Tensor& patches) {
  for (const at::Tensor& some : patches.to(at::kCPU).split(bound_ > 0 ? kSlack : kUnsplit)) {
    if (some.size(0) == 0) return;
    chunks_.push_back(some);
    count_ += some.size(0);
    if (bound_ == 0 || count_ < bound_ + kSlack) continue;
    chunks_ = {select(bound_, {})};
    count_ = bound_;
  }
}

void PatchStore::gather(std::int64_t dimension, Communicator& processes) {
  chunks_.push_back(at::empty({0, dimension}));  // there may be none
  const at::Tensor all = gather_rows(std::exchange(chunks_, {}), processes);
  count_ = 0;
  add(all);
}

at::Tensor PatchStore::select(std::int64_t number, const FitControl& control) const {
  std::mt19937_64 random(seed_);
  const Start start = draw_start(flavour_, count_, random);
  const at::Tensor points = project(projection(random()));
  return gather(select_centres(points, number, start, control));
}

std::int64_t PatchStore::peak_bytes(std::int64_t count, double share) const {
  if (bound_ > 0) count = std::min(count, bound_ + 2 * kSlack);
  const std::int64_t projected =
      flavour_ == Flavour::kAmazon ? kAmazonProjection : projected_dimension(count);
  const auto selected = static_cast<std::int64_t>(share * static_cast<double>(count));
  const std::int64_t floats =
      count * (dimension() + std::min(projected, dimension()) + selection_floats()) +
      selected * dimension() * 2;  // as selected, and laid out for scoring
  return floats * static_cast<std::int64_t>(sizeof(float));
}

// Undefined where the patches are selected as they are: a projection must make them shorter.
at::Tensor PatchStore::projection(std::uint64_t seed) const {
  const bool amazon = flavour_ == Flavour::kAmazon;
  const std::int64_t target = amazon ? kAmazonProjection : projected_dimension(count_);
  if (target > dimension()) return {};
  return amazon ? uniform_projection(target, dimension(), seed)
                : random_projection(target, dimension(), seed);
}

// All patches in the space they are selected in: projected, then turned onto their principal axes,
// which changes no distance and lets most be skipped.
at::Tensor PatchStore::project(const at::Tensor& projection) const {
  at::Tensor matrix;
  if (projection.defined()) {
    const at::Tensor projected = projection.mm(scatter()).mm(projection.t());
    matrix = projection.t().mm(principal_axes(projected));
  } else {
    matrix = principal_axes(scatter());
  }
  at::Tensor points = at::empty({count_, matrix.size(1)}, at::kFloat);
  std::int64_t row = 0;
  for (const at::Tensor& chunk : chunks_) {
    at::Tensor rows = points.narrow(0, row, chunk.size(0));
    at::mm_out(rows, chunk, matrix);
    row += chunk.size(0);
  }
  return points;
}

// Σ (x - mean)(x - mean)ᵀ, float32 [D, D].
at::Tensor PatchStore::scatter() const {
  at::Tensor sum = at::zeros({dimension()});
  at::Tensor products = at::zeros({dimension(), dimension()});
  for (const at::Tensor& chunk : chunks_) {
    sum += chunk.sum(0);
    products.addmm_(chunk.t(), chunk);
  }
  return products - sum.outer(sum) / count_;
}

// Rows by their number over all chunks, in the order given.
at::Tensor PatchStore::gather(const std::vector<std::int64_t>& rows) const {
  std::vector<std::int64_t> firsts;
  std::int64_t first = 0;
  for (const at::Tensor& chunk : chunks_) firsts.push_back(first), first += chunk.size(0);
  at::Tensor bank = at::empty({std::ssize(rows), dimension()}, at::kFloat);
  for (std::int64_t i = 0; i < std::ssize(rows); ++i) {
    const auto chunk = std::upper_bound(firsts.begin(), firsts.end(), rows[i]) - firsts.begin() - 1;
    bank[i] = chunks_[chunk][rows[i] - firsts[chunk]];
  }
  return bank;
}

}  // namespace uad::models::patchcore
