// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/exec/thread_pool.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/log.h"

namespace uad {

namespace {

constexpr int kMaxThreads = 1024;
std::mutex pool_mutex;  // guards pool_threads
int pool_threads = 0;   // 0 = nobody has wished yet: LibTorch's own choice

}  // namespace

int use_threads(int wish) {
  if (wish < 0 || wish > kMaxThreads) {
    throw Error(
        ErrorCode::kBadOption,
        fmt::format("Option threads is {}, expected 0 (one per core) to {}.", wish, kMaxThreads));
  }
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = wish == 0 ? cores : wish;
  if (threads > cores) {
    log(LogLevel::kWarning,
        fmt::format(
            "{} threads are asked for, but there are {} cores: more threads than cores only "
            "wait for each other. Set threads=0 for one per core.",
            threads, cores));
  }
  {
    const std::scoped_lock lock(pool_mutex);
    if (threads > pool_threads) {
      log(LogLevel::kInfo, pool_threads == 0
                               ? fmt::format("Inference pool: {} threads", threads)
                               : fmt::format("Inference pool: {} threads instead of {}, as the "
                                             "largest wish wins",
                                             threads, pool_threads));
      pool_threads = threads;
    } else if (threads < pool_threads) {
      log(LogLevel::kInfo, fmt::format("Inference pool: stays at {} threads; {} were wished for",
                                       pool_threads, threads));
    }
  }
  join_pool();
  return at::get_num_threads();
}

void join_pool() {
  // LibTorch keeps the count per calling thread once that thread has computed something.
  thread_local int joined = 0;
  int threads = 0;
  {
    const std::scoped_lock lock(pool_mutex);
    threads = pool_threads;
  }
  if (threads == joined) return;
  at::set_num_threads(threads);
  joined = threads;
}

}  // namespace uad
