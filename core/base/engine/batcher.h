// SPDX-License-Identifier: LGPL-2.1-or-later
// Frames of several streams on their way through the model that they share, several at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/backend.h"
#include "core/base/joint_model.h"

namespace uad {

/// What a frame lets the batcher do with it.
struct BatchLimits {
  int frames = 8;  ///< that go through the network together, at most; the least of a batch counts
  /// So long at most a frame waits for others; 0 = it takes along only those that wait already.
  std::chrono::milliseconds wait{0};
};

/// Runs the network of one model on a thread of its own, for every stream that uses the model.
///
/// Whenever the network is free it takes the frames that wait, at most as many as they allow. A
/// batch begins when it is full, when every stream has a frame in it, or when the first frame has
/// waited as long as it lets itself be kept. Streams take turns: none gets a second place in a
/// batch before each that waits has one, and the next batch begins with the stream after the last.
/// A batch ends before a frame that may not join it, and the next begins with that one.
/// @note Thread-safe.
class Batcher {
 public:
  using Clock = std::chrono::steady_clock;
  struct Result {
    ModelOutput output;
    Clock::time_point started;  ///< of the network
  };

  /// One frame that was handed over. Letting go of it abandons it. @note Thread-safe.
  class Ticket {
   public:
    /// Waits until the frame is analysed; once only. @return nullopt after abandon().
    /// @throws what the analysis threw.
    [[nodiscard]] std::optional<Result> wait();
    /// Nobody wants it any more: wakes wait(), and the network leaves it out if there is time.
    void abandon();

   private:
    friend class Batcher;
    void start(Clock::time_point now);
    void fulfil(ModelOutput output);
    void fail(std::exception_ptr reason);
    [[nodiscard]] bool abandoned() const;

    mutable std::mutex lock_;  // guards everything below
    std::condition_variable changed_;
    std::optional<ModelOutput> output_;
    std::exception_ptr failure_;
    Clock::time_point started_{};
    bool abandoned_ = false;
  };
  using TicketPtr = std::shared_ptr<Ticket>;  ///< shared by those who wait and those who abandon

  /// The place of one stream; what waits of it when it goes is abandoned. @note Thread-safe.
  class Seat {
   public:
    explicit Seat(std::shared_ptr<Batcher> batcher);
    ~Seat();
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;

    /// Returns at once. @param product  see Model::analyse().
    [[nodiscard]] TicketPtr submit(TileBatchPtr tiles, std::string product,
                                   const BatchLimits& limits);
    /// A frame that is analysed in a way of its own when its turn has come, never together with
    /// others. Returns at once. @param work  called on the network's thread, once at most.
    [[nodiscard]] TicketPtr submit_alone(std::function<ModelOutput()> work);

   private:
    friend class Batcher;
    struct Request {
      std::weak_ptr<Ticket> ticket;
      BatchedFrame frame;
      std::function<ModelOutput()> work;  // instead of the frame
      std::size_t most;
      Clock::time_point deadline;
    };
    TicketPtr put(Request request);

    std::shared_ptr<Batcher> batcher_;  // shared by the streams of one model
    std::deque<Request> waiting_;       // guarded by the batcher's lock
  };

  explicit Batcher(ModelPtr model);
  /// Waits for the batch in the network.
  ~Batcher() = default;
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  [[nodiscard]] const ModelPtr& model() const noexcept { return model_; }

 private:
  using Batch = std::vector<Seat::Request>;

  void run(const std::stop_token& stop);
  void leave_out_abandoned();
  [[nodiscard]] bool anyone_waits() const;
  [[nodiscard]] bool complete() const;
  [[nodiscard]] Clock::time_point deadline() const;
  Batch take();
  void analyse(Batch batch) const;
  bool analyse_together(const Batch& batch) const;

  const ModelPtr model_;           // shared with the elements that have it in service
  const JointModel* const joint_;  // the same, if it takes several frames at once
  std::mutex lock_;                // guards the streams, their frames and `turn_`
  std::condition_variable_any changed_;
  std::vector<Seat*> seats_;
  std::size_t turn_ = 0;  // index of the seat that the next batch begins with
  std::jthread thread_;   // last: it works with all of the above
};

/// The batchers of a process, one a model. @note Thread-safe.
class Batchers {
 public:
  /// The one that everybody gets for this model as long as somebody has it.
  [[nodiscard]] std::shared_ptr<Batcher> of(const ModelPtr& model);

 private:
  std::mutex lock_;  // guards `batchers_`
  std::vector<std::weak_ptr<Batcher>> batchers_;
};

}  // namespace uad
