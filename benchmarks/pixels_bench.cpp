// SPDX-License-Identifier: LGPL-2.1-or-later
// What a 1080p frame costs around the network: conversion with resize, and painting.
// Run: build/benchmarks/pixels-bench --benchmark_repetitions=9 --benchmark_report_aggregates_only
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/base/overlay/overlay_painter.h"
#include "core/base/pixels/image.h"

namespace {

constexpr int kWidth = 1920;
constexpr int kHeight = 1080;

struct Frame {
  std::vector<std::uint8_t> bytes;
  uad::MutableFrameView view;

  explicit Frame(uad::PixelFormat format) : bytes(std::size_t{4} * kWidth * kHeight) {
    unsigned state = 1;
    for (auto& byte : bytes) {
      state = state * 1664525 + 1013904223;
      byte = static_cast<std::uint8_t>(state >> 24);
    }
    view.format = format;
    view.width = kWidth;
    view.height = kHeight;
    view.colorimetry = {uad::YuvMatrix::kBt709, uad::YuvRange::kLimited};
    std::uint8_t* const chroma = bytes.data() + kWidth * kHeight;
    switch (format) {
      case uad::PixelFormat::kI420:
        view.planes[1] = {chroma, kWidth / 2};
        view.planes[2] = {chroma + kWidth * kHeight / 4, kWidth / 2};
        break;
      case uad::PixelFormat::kNv12:
        view.planes[1] = {chroma, kWidth};
        break;
      default:
        break;
    }
    const bool rgb = format == uad::PixelFormat::kRgb;
    view.planes[0] = {bytes.data(), rgb ? 3 * kWidth : kWidth};
  }
};

void convert_and_resize(benchmark::State& state, uad::PixelFormat format) {
  const Frame frame(format);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        uad::to_rgb_resized(uad::as_const(frame.view), {0, 0, kWidth, kHeight}, {256, 256}));
  }
}
BENCHMARK_CAPTURE(convert_and_resize, I420, uad::PixelFormat::kI420)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(convert_and_resize, NV12, uad::PixelFormat::kNv12)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(convert_and_resize, RGB, uad::PixelFormat::kRgb)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(convert_and_resize, GRAY8, uad::PixelFormat::kGray8)
    ->Unit(benchmark::kMillisecond);

/// 256x256, about 5 % of it from the warn level on, in two spots.
uad::ScoreMap two_spots() {
  uad::ScoreMap map{256, 256, std::vector<float>(std::size_t{256} * 256)};
  const auto spot = [](double x, double y, double sigma) {
    return std::exp(-(x * x + y * y) / (2 * sigma * sigma));
  };
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      map.values[static_cast<std::size_t>(y * 256 + x)] =
          static_cast<float>(4 * spot(x - 180, y - 90, 22) + 3 * spot(x - 70, y - 180, 16));
    }
  }
  return map;
}

void paint(benchmark::State& state, uad::PixelFormat format) {
  Frame frame(format);
  const uad::ScoreMap map = two_spots();
  uad::OverlayInput input;
  input.map = &map;
  input.placement = {0, 0, kWidth, kHeight};
  input.thresholds = {.image = {0, 2, 4}, .map = {0, 2, 4}, .warn = 1.6, .min_area = 0};
  input.verdict = uad::Verdict::kReject;
  input.score = 4;
  const auto regions = uad::find_regions(map, input.placement, input.thresholds.map.thr, 0);
  input.regions = regions;
  const uad::OverlayPainter painter(uad::OverlayOptions{});
  for (auto _ : state) painter.paint(frame.view, input);
  std::size_t warm = 0;
  for (const float value : map.values) warm += value >= 1.6F ? 1 : 0;
  state.counters["warm_percent"] = 100.0 * static_cast<double>(warm) / 65536;
}
BENCHMARK_CAPTURE(paint, I420, uad::PixelFormat::kI420)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(paint, NV12, uad::PixelFormat::kNv12)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(paint, RGB, uad::PixelFormat::kRgb)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(paint, GRAY8, uad::PixelFormat::kGray8)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
