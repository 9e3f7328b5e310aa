// SPDX-License-Identifier: LGPL-2.1-or-later
// Eight 640x480 streams that share one model, against eight instances with a model each.
//
// Run: OMP_WAIT_POLICY=passive meson devenv -C build benchmarks/streams-bench MODEL.uad
//        [SECONDS [ROUNDS [STREAMS [BATCH_TIMEOUT_MS]]]]
//   Both ways in turns in one run, every stream as fast as it gets its results. Two lines a round,
//   then the medians: frames a second of all streams together, 99th percentile of a frame's time,
//   processor time a frame; and the resident memory of eight models, and of LibTorch with the
//   first. On a busy machine throughput says how much of it the threads got; processor time does
//   not.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
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
  double cpu_ms = 0;  // of the whole process, a frame
};

/// Processor time that the process has used.
double cpu_ms() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * 1e3 + static_cast<double>(used.tv_nsec) * 1e-6;
}

double percentile(std::vector<double>& values, double share) {
  const auto place = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values[static_cast<std::size_t>(place)];
}

Figures run(const Streams& streams, double seconds) {
  const double used = cpu_ms();
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
  const auto frames = static_cast<double>(all.size());
  return {frames / taken, percentile(all, 0.99), (cpu_ms() - used) / frames};
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

Figures medians(const std::vector<Figures>& rounds) {
  return {median_of(rounds, &Figures::frames_a_second), median_of(rounds, &Figures::p99_ms),
          median_of(rounds, &Figures::cpu_ms)};
}

void print(const char* name, const Figures& f) {
  fmt::print("  {:9} {:7.1f} frames/s, p99 {:7.1f} ms, {:6.1f} ms of processor time a frame\n",
             name, f.frames_a_second, f.p99_ms, f.cpu_ms);
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
    print("separate", separate.back());
    print("shared", shared.back());
  }
  const Figures slow = medians(separate);
  const Figures fast = medians(shared);
  fmt::print("medians\n");
  print("separate", slow);
  print("shared", fast);
  fmt::print(
      "throughput {:.2f} times, processor time a frame {:.2f}, memory {:.0f} and {:.0f} MB\n",
      fast.frames_a_second / slow.frames_a_second, fast.cpu_ms / slow.cpu_ms, after - between,
      between - before);
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
