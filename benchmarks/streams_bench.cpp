// SPDX-License-Identifier: LGPL-2.1-or-later
// Eight 640x480 streams that share one model, against eight instances with a model each.
//
// Run: OMP_WAIT_POLICY=passive meson devenv -C build benchmarks/streams-bench MODEL.uad \
//        [SECONDS [ROUNDS [STREAMS [BATCH_TIMEOUT_MS]]]]
//   Both ways in turns in one run, every stream as fast as it gets its results. One line a round,
//   then the medians: frames a second of all streams together, 99th percentile of a frame's time,
//   and the resident memory that the models take.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gst/check/gstharness.h>
#include <unistd.h>

#include "gst-plugins/common/ptr.h"

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using uad::gst::BufferPtr;

constexpr char kCaps[] = "video/x-raw,format=I420,width=640,height=480,framerate=25/1";
constexpr std::size_t kBytes = 640 * 480 * 3 / 2;

/// One camera: an element and the thread that feeds it.
class Stream {
 public:
  explicit Stream(const std::string& launch) : harness_(gst_harness_new_parse(launch.c_str())) {
    gst_harness_set_live(harness_, FALSE);  // so that every frame is judged
    gst_harness_set_src_caps_str(harness_, kCaps);
    push();  // waits for the model
  }
  ~Stream() { gst_harness_teardown(harness_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// @return milliseconds of each frame until `end`.
  std::vector<double> run(Clock::time_point end) {
    std::vector<double> times;
    while (Clock::now() < end) times.push_back(push());
    return times;
  }

 private:
  double push() {
    GstBuffer* frame = gst_buffer_new_allocate(nullptr, kBytes, nullptr);
    gst_buffer_memset(frame, 0, static_cast<guint8>(100 + number_ % 50), kBytes);
    GST_BUFFER_PTS(frame) = number_++ * 40 * GST_MSECOND;
    const auto start = Clock::now();
    if (gst_harness_push(harness_, frame) != GST_FLOW_OK) {
      throw std::runtime_error("uadinfer refused a frame; GST_DEBUG=uad*:3 says why.");
    }
    const BufferPtr out = BufferPtr::adopt(gst_harness_pull(harness_));
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  }

  GstHarness* harness_;
  std::uint64_t number_ = 0;
};

using Streams = std::vector<std::unique_ptr<Stream>>;

struct Figures {
  double frames_a_second = 0;
  double p99_ms = 0;
};

double percentile(std::vector<double>& values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

Figures run(const Streams& streams, double seconds) {
  const auto start = Clock::now();
  const auto end =
      start + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::vector<double>> times(streams.size());
  {
    std::vector<std::jthread> cameras;
    for (std::size_t i = 0; i < streams.size(); ++i) {
      cameras.emplace_back([&, i] { times[i] = streams[i]->run(end); });
    }
  }
  const double taken = std::chrono::duration<double>(Clock::now() - start).count();
  std::vector<double> all;
  for (const auto& of_one : times) all.insert(all.end(), of_one.begin(), of_one.end());
  return {static_cast<double>(all.size()) / taken, percentile(all, 0.99)};
}

/// Resident memory of this process in MB.
double resident_mb() {
  std::ifstream in("/proc/self/statm");
  double total = 0;
  double resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double median_of(const std::vector<Figures>& rounds, double Figures::*member) {
  std::vector<double> values;
  for (const Figures& round : rounds) values.push_back(round.*member);
  return percentile(values, 0.5);
}

void compare(const std::string& model, double seconds, int rounds, int count, int timeout_ms) {
  const fs::path folder = fs::temp_directory_path() / fmt::format("uad-streams-{}", getpid());
  fs::create_directories(folder);
  Streams together;
  Streams apart;
  const double before = resident_mb();
  for (int i = 0; i < count; ++i) {
    together.push_back(std::make_unique<Stream>(
        fmt::format("uadinfer messages=none batch-timeout={} model={}", timeout_ms, model)));
  }
  const double between = resident_mb();
  for (int i = 0; i < count; ++i) {
    const fs::path copy = folder / fmt::format("{}.uad", i);  // another file, so another model
    fs::copy_file(model, copy);
    apart.push_back(
        std::make_unique<Stream>("uadinfer messages=none batch-size=1 model=" + copy.string()));
  }
  const double after = resident_mb();
  fs::remove_all(folder);
  std::vector<Figures> shared;
  std::vector<Figures> separate;
  for (int i = 0; i < rounds; ++i) {
    separate.push_back(run(apart, seconds));
    shared.push_back(run(together, seconds));
    fmt::print(
        "separate {:7.1f} frames/s, p99 {:7.1f} ms    shared {:7.1f} frames/s, p99 {:7.1f} ms\n",
        separate.back().frames_a_second, separate.back().p99_ms, shared.back().frames_a_second,
        shared.back().p99_ms);
  }
  const double slow = median_of(separate, &Figures::frames_a_second);
  const double fast = median_of(shared, &Figures::frames_a_second);
  fmt::print(
      "medians: separate {:.1f} frames/s, p99 {:.1f} ms, {:.0f} MB; shared {:.1f} frames/s, "
      "p99 {:.1f} ms, {:.0f} MB (LibTorch and the first model); ratio {:.2f}\n",
      slow, median_of(separate, &Figures::p99_ms), after - between, fast,
      median_of(shared, &Figures::p99_ms), between - before, fast / slow);
}

}  // namespace

int main(int count, char** words) try {
  gst_init(&count, &words);
  if (count < 2) {
    fmt::print(stderr,
               "usage: streams-bench MODEL.uad [SECONDS [ROUNDS [STREAMS [BATCH_TIMEOUT_MS]]]]\n");
    return 2;
  }
  const auto number = [&](int at, double otherwise) {
    return count > at ? std::atof(words[at]) : otherwise;
  };
  compare(words[1], number(2, 4), static_cast<int>(number(3, 5)), static_cast<int>(number(4, 8)),
          static_cast<int>(number(5, 10)));
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "{}\n", error.what());
  return 1;
}
