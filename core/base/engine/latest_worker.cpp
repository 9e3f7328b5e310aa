// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/latest_worker.h"

#include <utility>

#include "core/base/engine/niceness.h"

namespace uad {

LatestWorker::LatestWorker(Done done, int niceness) : done_(std::move(done)), niceness_(niceness) {}

LatestWorker::~LatestWorker() { stop(); }

void LatestWorker::submit(Job job) {
  const std::lock_guard guard(lock_);
  rethrow_failure();
  if (waiting_) ++dropped_;
  waiting_ = std::move(job);
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  changed_.notify_all();
}

AnalysisPtr LatestWorker::latest() {
  const std::lock_guard guard(lock_);
  rethrow_failure();
  return latest_;
}

bool LatestWorker::free_by(Clock::time_point when) const {
  const std::lock_guard guard(lock_);
  if (waiting_) return false;
  if (!running_) return true;
  return last_duration_ && started_ + *last_duration_ <= when;
}

std::uint64_t LatestWorker::dropped() const {
  const std::lock_guard guard(lock_);
  return dropped_;
}

void LatestWorker::drain(Clock::duration limit) {
  std::unique_lock guard(lock_);
  changed_.wait_for(guard, limit,
                    [this] { return !waiting_ && !(running_ && running_epoch_ == epoch_); });
  rethrow_failure();
}

void LatestWorker::forget() {
  const std::lock_guard guard(lock_);
  ++epoch_;
  waiting_ = nullptr;
  latest_.reset();
  changed_.notify_all();
}

void LatestWorker::stop() {
  if (thread_.joinable()) {
    thread_.request_stop();
    thread_.join();
  }
  forget();
  const std::lock_guard guard(lock_);
  failure_ = nullptr;
  dropped_ = 0;
  last_duration_.reset();
}

void LatestWorker::rethrow_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void LatestWorker::run(const std::stop_token& stop) {
  if (niceness_ > 0) be_nice(niceness_);
  while (true) {
    Job job;
    {
      std::unique_lock guard(lock_);
      if (!changed_.wait(guard, stop, [this] { return static_cast<bool>(waiting_); })) return;
      job = std::exchange(waiting_, nullptr);
      running_epoch_ = epoch_;
      running_ = true;
      started_ = Clock::now();
    }
    AnalysisPtr result;
    std::exception_ptr failure;
    try {
      result = job();
    } catch (...) {
      failure = std::current_exception();
    }
    {
      const std::lock_guard guard(lock_);
      last_duration_ = Clock::now() - started_;
      if (running_epoch_ != epoch_) {
        result = nullptr;
      } else {
        if (failure) failure_ = failure;
        if (result) latest_ = result;
      }
    }
    if (result && done_) done_(result);
    const std::lock_guard guard(lock_);
    running_ = false;
    changed_.notify_all();
  }
}

}  // namespace uad
