// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/tuning/machine.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>
#include <thread>

#include <cpuid.h>
#include <unistd.h>

namespace uad {
namespace {

/// What stands behind "KEY:" in a file of /proc; "" if nothing does.
std::string value_of(const char* file, const std::string& key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t value = line.find_first_not_of(" \t", line.find(':') + 1);
    return value == std::string::npos ? "" : line.substr(value);
  }
  return "";
}

/// Intel's manual, volume 2A, CPUID leaf 7: EDX bit 24 is AMX-TILE. GCC 12 has no name for it.
bool has_amx() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 24 & 1) != 0;
}

std::string widest_instructions() {
  __builtin_cpu_init();
  if (has_amx()) return "AMX";
  if (__builtin_cpu_supports("avx512bf16")) return "AVX512-BF16";
  if (__builtin_cpu_supports("avx512f")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
  return "";
}

/// Seconds after the machine's start at which this process began. Source: proc(5), field 22.
double start_of_process() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  // The second field is the program's name in brackets, which may hold blanks.
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  constexpr int kBetween = 19;  // fields 3 to 21
  std::string skipped;
  for (int i = 0; i < kBetween; ++i) fields >> skipped;
  double ticks = 0;
  fields >> ticks;
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

MachineFacts this_machine() {
  return {value_of("/proc/cpuinfo", "model name"),
          std::max(1, static_cast<int>(std::thread::hardware_concurrency())),
          widest_instructions()};
}

double process_age_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const double seconds = static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  return (seconds - start_of_process()) * 1e3;
}

// getrusage() would start with the peak of whoever started this process.
std::int64_t peak_memory() {
  std::istringstream text(value_of("/proc/self/status", "VmHWM"));
  std::int64_t kilobytes = 0;
  text >> kilobytes;
  return kilobytes * 1024;
}

nlohmann::json to_json(const MachineFacts& machine) {
  return {{"cpu", machine.cpu}, {"cores", machine.cores}, {"instructions", machine.instructions}};
}

}  // namespace uad
