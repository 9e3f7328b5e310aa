// SPDX-License-Identifier: LGPL-2.1-or-later
// A model of many windows with several deadlines, and without.
//
// Run: OMP_WAIT_POLICY=passive meson devenv -C build benchmarks/deadline-bench MODEL.uad
//        [WIDTHxHEIGHT [ROUNDS [DEADLINE_MS …]]]
//   All in turns in one run, ten frames a round, each as soon as the one before has its
//   result. A line each: time of a frame and its 90th percentile, windows looked at in it, how many
//   frames it took until every window was seen (the most of the run) and how many are guaranteed.
//   The first frame, which is whole, is left out. 0 = no deadline.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gst/check/gstharness.h>

#include "benchmarks/measuring.h"
#include "gst-plugins/common/ptr.h"
#include "gst-plugins/meta/gstuadresultmeta.h"

namespace {

using uad::gst::BufferPtr;

constexpr int kFramesARound = 10;

/// A camera that waits for each result.
class Stream {
 public:
  Stream(const std::string& model, int deadline_ms, int width, int height)
      : deadline_ms_(deadline_ms),
        bytes_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
    const std::string launch = fmt::format(
        "uadinfer messages=none max-age=1000000 reject-threshold=1e9 warn-threshold=1e9"
        " model={} deadline={}",
        model, deadline_ms);
    harness_ = gst_harness_new_parse(launch.c_str());
    gst_harness_set_live(harness_, FALSE);
    gst_harness_set_src_caps_str(
        harness_,
        fmt::format("video/x-raw,format=GRAY8,width={},height={},framerate=25/1", width, height)
            .c_str());
    push();
    forget();
  }
  ~Stream() { gst_harness_teardown(harness_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void push() {
    GstBuffer* frame = gst_buffer_new_allocate(nullptr, bytes_, nullptr);
    gst_buffer_memset(frame, 0, static_cast<guint8>(100 + number_ % 50), bytes_);
    GST_BUFFER_PTS(frame) = number_++ * 40 * GST_MSECOND;
    const double start = uad::benchmarks::seconds();
    if (gst_harness_push(harness_, frame) != GST_FLOW_OK) {
      throw std::runtime_error("uadinfer refused a frame; GST_DEBUG=uad*:3 says why.");
    }
    const BufferPtr out = BufferPtr::adopt(gst_harness_pull(harness_));
    times_.push_back(1e3 * (uad::benchmarks::seconds() - start));
    uad_result_meta_get_coverage(uad_buffer_get_result_meta(out.get()), &coverage_);
    windows_.push_back(coverage_.analysed);
    oldest_ = std::max(oldest_, coverage_.oldest);
  }
  void forget() {
    times_.clear();
    windows_.clear();
    oldest_ = 0;
  }
  void print() {
    std::ranges::sort(times_);
    fmt::print("{:9} {:9.1f} {:9.1f} {:6.0f} of {:2} {:9} {:9}\n", deadline_ms_,
               times_[times_.size() / 2], times_[times_.size() * 9 / 10],
               uad::benchmarks::median(windows_), coverage_.windows, oldest_ + 1, coverage_.within);
  }

 private:
  GstHarness* harness_;
  int deadline_ms_;
  std::size_t bytes_;
  guint64 number_ = 0;
  std::vector<double> times_;
  std::vector<double> windows_;
  guint64 oldest_ = 0;
  UadCoverage coverage_{};
};

}  // namespace

int main(int count, char** words) try {
  gst_init(&count, &words);
  int width = 1024;
  int height = 768;
  if (count < 2 || (count > 2 && std::sscanf(words[2], "%dx%d", &width, &height) != 2)) {
    fmt::print(stderr,
               "usage: deadline-bench MODEL.uad [WIDTHxHEIGHT [ROUNDS [DEADLINE_MS ...]]]\n");
    return 2;
  }
  const int rounds = count > 3 ? std::atoi(words[3]) : 5;
  std::vector<int> deadlines{0, 20, 50, 100, 200};
  if (count > 4) deadlines.clear();
  for (int i = 4; i < count; ++i) deadlines.push_back(std::atoi(words[i]));
  std::vector<std::unique_ptr<Stream>> streams;
  for (const int deadline : deadlines) {
    streams.push_back(std::make_unique<Stream>(words[1], deadline, width, height));
  }
  for (int round = 0; round < rounds; ++round) {
    for (const auto& stream : streams) {
      for (int i = 0; i < kFramesARound; ++i) stream->push();
    }
  }
  fmt::print("{:>9} {:>9} {:>9} {:>12} {:>9} {:>9}\n", "deadline", "ms", "90 %", "windows",
             "all seen", "at most");
  for (const auto& stream : streams) stream->print();
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
