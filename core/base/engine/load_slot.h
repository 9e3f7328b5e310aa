// SPDX-License-Identifier: LGPL-2.1-or-later
// Keeps one loaded thing in service while the next one is being loaded beside it.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

namespace uad {

/// Loading happens on one thread of its own. A failed load leaves what was in service in service.
/// What a change took out of service can be kept, one deep, for undo().
/// @note Thread-safe, except stop(), which belongs to the owner.
template <class T>
class LoadSlot {
 public:
  using Ptr = std::shared_ptr<const T>;  ///< shared with the frame that is being worked on
  using Job = std::function<Ptr(std::stop_token)>;

  /// Called on the loader thread, with no lock held.
  struct Events {
    std::function<void(const Ptr& loaded, const std::string& why)> loaded;
    std::function<void(std::exception_ptr reason, bool old_in_service)> failed;
  };

  explicit LoadSlot(Events events) : events_(std::move(events)) {}
  ~LoadSlot() { stop(); }
  LoadSlot(const LoadSlot&) = delete;
  LoadSlot& operator=(const LoadSlot&) = delete;

  /// Starts loading and returns at once. A load in progress is cancelled; the newest wish wins.
  /// @param why  handed to Events::loaded.
  void load(Job job, std::string why = {}) {
    const std::lock_guard guard(lock_);
    next_ = std::move(job);
    why_ = std::move(why);
    loading_ = true;
    failed_ = false;
    running_.request_stop();
    if (!thread_.joinable()) {
      thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    changed_.notify_all();
  }

  /// Puts something in service that is loaded already. Cancels a load in progress.
  void put(Ptr value) {
    Ptr gone;  // let go of without the lock: frames that ask for the model must not wait for it
    const std::lock_guard guard(lock_);
    cancel();
    gone = replace(std::move(value));
    changed_.notify_all();
  }

  /// The same, but only while `expected` is in service and nothing else on its way.
  /// @return whether `value` is in service now.
  bool put_after(const Ptr& expected, Ptr value) {
    Ptr gone;
    const std::lock_guard guard(lock_);
    if (value_ != expected || loading_) return false;
    gone = replace(std::move(value));
    changed_.notify_all();
    return true;
  }

  /// Takes what is in service out of it; null if there is nothing. Cancels a load in progress.
  Ptr take() {
    const std::lock_guard guard(lock_);
    cancel();
    changed_.notify_all();
    return std::exchange(value_, nullptr);
  }

  /// Goes back to what was in service before the last change and lets go of what is in service
  /// now. Cancels a load in progress. @return what is in service then; null = nothing was kept.
  Ptr undo() {
    Ptr gone;
    const std::lock_guard guard(lock_);
    if (!previous_) return nullptr;
    cancel();
    gone = std::exchange(value_, std::exchange(previous_, nullptr));
    changed_.notify_all();
    return value_;
  }

  /// Whether the next change keeps what it takes out of service; false lets go of it at once.
  void keep_previous(bool keep) {
    Ptr gone;
    const std::lock_guard guard(lock_);
    keep_previous_ = keep;
    if (!keep) gone = std::exchange(previous_, nullptr);
  }

  /// What is in service, or null. Never waits.
  [[nodiscard]] Ptr get() const {
    const std::lock_guard guard(lock_);
    return value_;
  }

  /// Waits until something is in service. @return null if the load failed, nothing was asked for,
  /// or interrupt() was called.
  [[nodiscard]] Ptr wait() const {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return value_ || interrupted_ || !loading_; });
    return value_;
  }

  /// Waits until nothing is on its way any more, or `stop` is requested. @return what is in service
  /// then, or null.
  [[nodiscard]] Ptr settled(const std::stop_token& stop) const {
    std::unique_lock guard(lock_);
    changed_.wait(guard, stop, [this] { return !loading_; });
    return value_;
  }

  /// Nothing is in service or on its way because the load failed, and `failed` has returned: what
  /// the caller breaks off now is explained already.
  [[nodiscard]] bool gave_up() const {
    const std::lock_guard guard(lock_);
    return failed_ && !loading_ && !value_;
  }

  /// Wakes wait() now and makes it return at once from now on; resume() makes it wait again.
  void interrupt() { set_interrupted(true); }
  void resume() { set_interrupted(false); }

  /// Cancels a load, waits for the thread to end and forgets what was in service.
  void stop() {
    if (thread_.joinable()) {
      thread_.request_stop();
      thread_.join();
    }
    const std::lock_guard guard(lock_);
    value_.reset();
    previous_.reset();
    next_ = nullptr;
    loading_ = failed_ = interrupted_ = false;
  }

 private:
  void set_interrupted(bool interrupted) {
    const std::lock_guard guard(lock_);
    interrupted_ = interrupted;
    changed_.notify_all();
  }

  void run(const std::stop_token& stop) {
    while (true) {
      Job job;
      std::string why;
      std::stop_source cancel;
      {
        std::unique_lock guard(lock_);
        if (!changed_.wait(guard, stop, [this] { return static_cast<bool>(next_); })) return;
        job = std::exchange(next_, nullptr);
        why = why_;
        running_ = cancel;
        at_work_ = true;
      }
      const std::stop_callback pass_on(stop, [&cancel] { cancel.request_stop(); });
      load_one(job, why, cancel.get_token());
    }
  }

  void load_one(const Job& job, const std::string& why, const std::stop_token& stop) {
    Ptr loaded;
    Ptr gone;
    std::exception_ptr reason;
    try {
      loaded = job(stop);
    } catch (...) {
      reason = std::current_exception();
    }
    bool old_in_service = false;
    {
      const std::lock_guard guard(lock_);
      if (stop.stop_requested()) {  // superseded or shutting down: nobody wants to hear of it
        settle();
        return;
      }
      old_in_service = value_ != nullptr;
      failed_ = !loaded;
      if (loaded) {
        gone = replace(loaded);
        settle();
      }
    }
    if (loaded) {
      if (events_.loaded) events_.loaded(loaded, why);
      return;
    }
    // Told before wait() returns, so that the reason comes before whatever the waiter's failing
    // causes.
    if (events_.failed) events_.failed(reason, old_in_service);
    const std::lock_guard guard(lock_);
    settle();
  }

  /// Gives up every load that was asked for. Called with lock_ held.
  void cancel() {
    next_ = nullptr;
    running_.request_stop();
    loading_ = at_work_;
    failed_ = false;
  }

  /// @return what is needed no more. Called with lock_ held.
  Ptr replace(Ptr value) {
    value_.swap(value);
    if (keep_previous_ && value) previous_.swap(value);
    return value;
  }

  /// Ends a load and wakes those who wait for it. Called with lock_ held.
  void settle() {
    at_work_ = false;
    loading_ = static_cast<bool>(next_);
    changed_.notify_all();
  }

  Events events_;
  mutable std::mutex lock_;  // guards everything below, except thread_
  mutable std::condition_variable_any changed_;
  Ptr value_;
  Ptr previous_;
  bool keep_previous_ = false;
  Job next_;
  std::string why_;  // of next_
  std::stop_source running_;
  bool at_work_ = false;  // a job runs
  bool loading_ = false;
  bool failed_ = false;
  bool interrupted_ = false;
  std::jthread thread_;
};

}  // namespace uad
