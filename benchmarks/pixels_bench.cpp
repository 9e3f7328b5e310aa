// SPDX-License-Identifier: LGPL-2.1-or-later
// What a 1080p frame costs around the network: conversion with resize, and painting; beside the way
// that painting goes with OpenCV (paint_by_opencv), on one thread each.
// Run: build/benchmarks/pixels-bench --benchmark_repetitions=9 --benchmark_report_aggregates_only
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <opencv2/imgproc.hpp>

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
    int row_bytes = kWidth;
    switch (format) {
      case uad::PixelFormat::kI420:
        view.planes[1] = {chroma, kWidth / 2};
        view.planes[2] = {chroma + kWidth * kHeight / 4, kWidth / 2};
        break;
      case uad::PixelFormat::kNv12:
        view.planes[1] = {chroma, kWidth};
        break;
      case uad::PixelFormat::kGray8:
        break;
      case uad::PixelFormat::kRgb:
        row_bytes = 3 * kWidth;
        break;
      case uad::PixelFormat::kBgrx:
        row_bytes = 4 * kWidth;
        break;
      default:  // YUY2, GRAY16
        row_bytes = 2 * kWidth;
    }
    view.planes[0] = {bytes.data(), row_bytes};
  }
};

void convert_and_resize(benchmark::State& state, uad::PixelFormat format) {
  const Frame frame(format);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        uad::to_rgb_resized(uad::as_const(frame.view), {0, 0, kWidth, kHeight}, {256, 256}));
  }
}

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

/// Everything from the warn level on: what a wrong part or a wrong light does.
uad::ScoreMap warm_everywhere() {
  return {256, 256, std::vector<float>(std::size_t{256} * 256, 3.0F)};
}

void paint(benchmark::State& state, uad::PixelFormat format, const uad::ScoreMap& map) {
  Frame frame(format);
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

/// To BGR, the whole map as a colour layer, blended, and back: colours, but no threshold, box or
/// banner.
void paint_by_opencv(benchmark::State& state, const uad::ScoreMap& map) {
  Frame frame(uad::PixelFormat::kI420);
  cv::Mat planes(kHeight * 3 / 2, kWidth, CV_8UC1, frame.bytes.data());
  const cv::Mat scores(256, 256, CV_32FC1, const_cast<float*>(map.values.data()));
  cv::Mat bgr;
  cv::Mat grey;
  cv::Mat stretched;
  cv::Mat layer;
  for (auto _ : state) {
    cv::cvtColor(planes, bgr, cv::COLOR_YUV2BGR_I420);
    scores.convertTo(grey, CV_8U, 255.0 / 4);
    cv::resize(grey, stretched, bgr.size());
    cv::applyColorMap(stretched, layer, cv::COLORMAP_JET);
    cv::addWeighted(bgr, 0.6, layer, 0.4, 0, bgr);
    cv::cvtColor(bgr, planes, cv::COLOR_BGR2YUV_I420);
  }
}

}  // namespace

int main(int count, char** words) {
  using uad::PixelFormat;
  const std::pair<const char*, PixelFormat> formats[] = {
      {"I420", PixelFormat::kI420},       {"NV12", PixelFormat::kNv12},
      {"YUY2", PixelFormat::kYuy2},       {"RGB", PixelFormat::kRgb},
      {"BGRx", PixelFormat::kBgrx},       {"GRAY8", PixelFormat::kGray8},
      {"GRAY16_LE", PixelFormat::kGray16}};
  const uad::ScoreMap spots = two_spots();
  const uad::ScoreMap warm = warm_everywhere();
  const auto add = [](const char* what, const char* name, auto run) {
    benchmark::RegisterBenchmark((std::string(what) + "/" + name).c_str(), run)
        ->Unit(benchmark::kMillisecond);
  };
  for (const auto& [name, format] : formats) {
    const PixelFormat f = format;
    add("convert_and_resize", name, [f](auto& state) { convert_and_resize(state, f); });
    add("paint", name, [f, &spots](auto& state) { paint(state, f, spots); });
    add("paint_whole_frame", name, [f, &warm](auto& state) { paint(state, f, warm); });
  }
  cv::setNumThreads(1);
  add("paint_by_opencv", "I420", [&spots](auto& state) { paint_by_opencv(state, spots); });
  benchmark::Initialize(&count, words);
  benchmark::RunSpecifiedBenchmarks();
}
