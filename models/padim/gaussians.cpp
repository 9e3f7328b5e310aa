// SPDX-License-Identifier: LGPL-2.1-or-later
#include "models/padim/gaussians.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/distributed/exchange.h"
#include "core/exec/parallel.h"
#include "models/padim/lanes.h"

namespace uad::models::padim {

namespace {

constexpr std::size_t kWaitingImages = 16;        // the sums are read and written once for so many
constexpr std::int64_t kMatrixBytes = 8LL << 20;  // in float64, while factors are computed
constexpr float kSmallestHalf = 0x1p-14F;         // not subnormal

std::int64_t groups_of(std::int64_t positions) { return (positions + kLanes - 1) / kLanes; }

// [positions, n] to [groups, n, 16]; the last group is filled up with zeros.
at::Tensor to_lanes(const at::Tensor& rows) {
  const std::int64_t groups = groups_of(rows.size(0));
  const at::Tensor padded = at::constant_pad_nd(rows, {0, 0, 0, groups * kLanes - rows.size(0)}, 0);
  return padded.view({groups, kLanes, rows.size(1)}).transpose(1, 2).contiguous();
}

// The inverse.
at::Tensor from_lanes(const at::Tensor& lanes, std::int64_t positions) {
  return lanes.transpose(1, 2).reshape({-1, lanes.size(1)}).slice(0, 0, positions);
}

// Places of a lower triangle, row by row, in a full matrix [d d].
at::Tensor triangle_places(std::int64_t size) {
  const at::Tensor places = at::tril_indices(size, size);
  return places[0] * size + places[1];
}

// [n, triangle] to lower-triangular [n, d, d].
at::Tensor unpack(const at::Tensor& triangles, std::int64_t size) {
  at::Tensor full = at::zeros({triangles.size(0), size * size}, triangles.options());
  full.index_copy_(1, triangle_places(size).to(triangles.device()), triangles);
  return full.view({-1, size, size});
}

at::Tensor pack(const at::Tensor& matrices) {
  return matrices.flatten(1).index_select(1, triangle_places(matrices.size(1)));
}

// Scatter of some groups, [n, triangle, 16], to what is stored of their positions: float16
// [16 n, triangle].
at::Tensor factors_of(const at::Tensor& scatter, std::int64_t size, std::int64_t count) {
  const at::Tensor triangles = from_lanes(scatter, scatter.size(0) * kLanes).to(at::kDouble);
  at::Tensor covariance = unpack(triangles / static_cast<double>(count - 1), size);
  covariance.diagonal(0, 1, 2).add_(kRegularisation);
  const at::Tensor lower = at::linalg_cholesky(covariance + covariance.tril(-1).mT());
  const at::Tensor inverse =
      at::linalg_solve_triangular(lower, at::eye(size, at::kDouble), /*upper=*/false);
  const at::Tensor scaled = pack(inverse) * kFactorScale;
  return at::where(scaled.abs() < kSmallestHalf, 0.0, scaled).to(at::kHalf);
}

// The inverse: float16 [n, triangle] to the scatter of `count` images, float32 [n, triangle].
at::Tensor scatters_of(const at::Tensor& factors, std::int64_t size, std::int64_t count) {
  const at::Tensor whitening = unpack(factors.to(at::kDouble) / kFactorScale, size);
  const at::Tensor lower =
      at::linalg_solve_triangular(whitening, at::eye(size, at::kDouble), /*upper=*/false);
  at::Tensor covariance = lower.bmm(lower.mT());
  covariance.diagonal(0, 1, 2).sub_(kRegularisation);
  return (pack(covariance) * static_cast<double>(count - 1)).to(at::kFloat);
}

std::int64_t positions_at_a_time(std::int64_t size) {
  return std::max(kLanes, kMatrixBytes / (size * size * std::int64_t{8}) / kLanes * kLanes);
}

// What lies in the lanes of one group, less its mean; lanes beyond the grid are 0.
// @param image  float32 [size][positions], from the group's first position on.
void subtract(const float* image, std::int64_t positions, const float* mean, std::int64_t lanes,
              std::int64_t size, float* differences) {
  std::fill_n(differences, size * kLanes, 0.0F);
  for (std::int64_t j = 0; j < size; ++j) {
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
      differences[j * kLanes + lane] = image[j * positions + lane] - mean[j * kLanes + lane];
    }
  }
}

}  // namespace

at::Tensor dense_distances(const at::Tensor& x, const at::Tensor& mean, const at::Tensor& factor) {
  const at::Tensor difference = x.permute({2, 3, 1, 0}) - mean.unsqueeze(3);  // [h, w, d, N]
  const at::Tensor whitened = factor.bmm(difference.flatten(0, 1));
  return whitened.norm(2, 1).t().reshape({x.size(0), mean.size(0), mean.size(1)});
}

Gaussians::Gaussians(at::Tensor mean, const at::Tensor& factor, std::int64_t images,
                     c10::Device device)
    : mean_(std::move(mean)), images_(images) {
  if (device.is_cpu()) {
    mean_lanes_ = to_lanes(mean_.flatten(0, 1));
    factor_lanes_ = to_lanes(factor.flatten(0, 1));
  } else {
    factor_ = unpack(factor.flatten(0, 1).to(device, at::kFloat) / kFactorScale, features());
  }
}

at::Tensor Gaussians::factor() const {
  const at::Tensor triangles = factor_.defined()
                                   ? pack((factor_ * kFactorScale).to(at::kCPU, at::kHalf))
                                   : from_lanes(factor_lanes_, height() * width());
  return triangles.reshape({height(), width(), -1});
}

at::Tensor Gaussians::distances(const at::Tensor& x) const {
  if (factor_.defined()) return dense_distances(x, mean_.to(x.device()), factor_).to(at::kCPU);
  at::Tensor result = at::empty({x.size(0), height(), width()}, at::kFloat);
  const std::int64_t size = features();
  const std::int64_t positions = height() * width();
  const at::Tensor packed = x.contiguous();
  const float* const values = packed.const_data_ptr<float>();
  const float* const means = mean_lanes_.const_data_ptr<float>();
  const auto* const factors = static_cast<const std::uint16_t*>(factor_lanes_.const_data_ptr());
  float* const squares = result.mutable_data_ptr<float>();
  parallel_for(0, groups_of(positions), 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> differences(static_cast<std::size_t>(size * kLanes));
    float lengths[kLanes];
    for (std::int64_t group = begin; group < end; ++group) {
      const std::int64_t first = group * kLanes;
      const std::int64_t lanes = std::min(kLanes, positions - first);
      for (std::int64_t n = 0; n < x.size(0); ++n) {
        const float* const image = values + n * size * positions + first;
        subtract(image, positions, means + first * size, lanes, size, differences.data());
        squared_lengths(factors + first * triangle(size), differences.data(), size, lengths);
        std::copy_n(lengths, lanes, squares + n * positions + first);
      }
    }
  });
  return result.sqrt_();
}

GaussianFit::GaussianFit(const Gaussians& start)
    : merged_(start.images()),
      height_(start.height()),
      width_(start.width()),
      mean_(to_lanes(start.mean().flatten(0, 1))) {
  const std::int64_t size = start.features();
  const std::int64_t step = positions_at_a_time(size);
  const at::Tensor factors = start.factor().flatten(0, 1);
  scatter_ = at::zeros({mean_.size(0), triangle(size), kLanes}, at::kFloat);
  for (std::int64_t first = 0; first < factors.size(0); first += step) {
    const at::Tensor some =
        to_lanes(scatters_of(factors.slice(0, first, first + step), size, merged_));
    scatter_.narrow(0, first / kLanes, some.size(0)).copy_(some);
  }
}

void GaussianFit::add(const at::Tensor& x) {
  if (height_ > 0 && (x.size(2) != height_ || x.size(3) != width_)) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("The statistics are of {} x {} positions, but an image gives {} x {}. "
                            "Give images of the shape that the model was trained on.",
                            width_, height_, x.size(3), x.size(2)));
  }
  for (const at::Tensor& image : x.unbind(0)) {
    waiting_.push_back(image.to(at::kCPU).contiguous());
    if (waiting_.size() == kWaitingImages) merge();
  }
}

std::int64_t GaussianFit::peak_bytes() const {
  const bool fresh = !mean_.defined();
  const std::int64_t size = fresh ? waiting_.front().size(0) : mean_.size(1);
  const std::int64_t grid = fresh ? waiting_.front()[0].numel() : height_ * width_;
  const std::int64_t positions = groups_of(grid) * kLanes;
  // The sums in float32, and the factors twice in float16: as made, and in the model's lanes.
  const std::int64_t matrices = positions * triangle(size) * (4 + 2 + 2);
  const std::int64_t vectors =
      positions * size * 4 * (2 + static_cast<std::int64_t>(kWaitingImages));
  return matrices + vectors + kMatrixBytes;
}

// Sums of two sets are the sums of both, each about its own mean, and one more row: the distance of
// the means (Chan, Golub and LeVeque, "Updating formulae", 1979). Nothing cancels, so float32 does.
void GaussianFit::merge() {
  const std::int64_t size = waiting_.front().size(0);
  height_ = waiting_.front().size(1);
  width_ = waiting_.front().size(2);
  const std::int64_t positions = height_ * width_;
  const std::int64_t groups = groups_of(positions);
  if (!mean_.defined()) {
    mean_ = at::zeros({groups, size, kLanes}, at::kFloat);
    scatter_ = at::zeros({groups, triangle(size), kLanes}, at::kFloat);
  }
  const auto added = static_cast<std::int64_t>(waiting_.size());
  const auto share = static_cast<float>(added) / static_cast<float>(merged_ + added);
  const float weight = std::sqrt(share * static_cast<float>(merged_));
  float* const means = mean_.mutable_data_ptr<float>();
  float* const sums = scatter_.mutable_data_ptr<float>();
  parallel_for(0, groups, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t row = size * kLanes;
    std::vector<float> rows(static_cast<std::size_t>((added + 1) * row));
    for (std::int64_t group = begin; group < end; ++group) {
      float* const mean = means + group * row;
      float* const step = rows.data() + added * row;  // from the old mean to that of the new images
      std::fill_n(step, row, 0.0F);
      for (std::int64_t n = 0; n < added; ++n) {
        const float* const image = waiting_[n].const_data_ptr<float>() + group * kLanes;
        const std::int64_t lanes = std::min(kLanes, positions - group * kLanes);
        subtract(image, positions, mean, lanes, size, rows.data() + n * row);
        for (std::int64_t i = 0; i < row; ++i) {
          step[i] += rows[n * row + i] / static_cast<float>(added);
        }
      }
      for (std::int64_t n = 0; n < added; ++n) {
        for (std::int64_t i = 0; i < row; ++i) rows[n * row + i] -= step[i];
      }
      for (std::int64_t i = 0; i < row; ++i) {
        mean[i] += share * step[i];
        step[i] *= weight;
      }
      add_products(sums + group * triangle(size) * kLanes, rows.data(), added + 1, size);
    }
  });
  merged_ += added;
  waiting_.clear();
}

// As in merge(): the sums of a part about its own mean, and one more row for the distance between
// that and the mean of all.
void GaussianFit::gather(Communicator& processes) {
  if (!waiting_.empty()) merge();
  double all = static_cast<double>(merged_);
  processes.sum(std::span(&all, 1));
  const auto own = static_cast<double>(merged_);
  const at::Tensor mean = sum_of_processes(mean_.to(at::kDouble) * (own / all), processes);
  const at::Tensor step = ((mean_ - mean) * std::sqrt(own)).to(at::kFloat);
  const std::int64_t size = mean_.size(1);
  for (std::int64_t group = 0; group < mean_.size(0); ++group) {
    add_products(scatter_[group].mutable_data_ptr<float>(), step[group].const_data_ptr<float>(), 1,
                 size);
  }
  processes.sum(
      std::span(scatter_.mutable_data_ptr<float>(), static_cast<std::size_t>(scatter_.numel())));
  mean_ = mean.to(at::kFloat);
  merged_ = static_cast<std::int64_t>(all);
}

Gaussians GaussianFit::finish(c10::Device device, std::stop_token stop) {
  if (count() < 2) {
    throw Error(ErrorCode::kBadOption,
                fmt::format("A covariance needs at least 2 good images, but {} were seen. Give "
                            "more images.",
                            count()));
  }
  if (!waiting_.empty()) merge();
  const std::int64_t positions = height_ * width_;
  const std::int64_t size = mean_.size(1);
  const std::int64_t step = positions_at_a_time(size) / kLanes;
  at::Tensor factor = at::empty({mean_.size(0) * kLanes, triangle(size)}, at::kHalf);
  for (std::int64_t first = 0; first < mean_.size(0); first += step) {
    if (stop.stop_requested()) {
      throw Error(ErrorCode::kCancelled, "The fit was cancelled.");
    }
    const at::Tensor some = scatter_.slice(0, first, first + step);
    factor.slice(0, first * kLanes, (first + step) * kLanes).copy_(factors_of(some, size, merged_));
  }
  scatter_.reset();
  return {from_lanes(mean_, positions).reshape({height_, width_, size}),
          factor.slice(0, 0, positions).view({height_, width_, -1}), merged_, device};
}

}  // namespace uad::models::padim
