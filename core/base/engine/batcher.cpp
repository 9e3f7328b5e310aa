// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/batcher.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace uad {

std::optional<Batcher::Result> Batcher::Ticket::wait() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return output_ || failure_ || abandoned_; });
  if (abandoned_) return std::nullopt;
  if (failure_) std::rethrow_exception(failure_);
  return Result{std::move(*output_), started_};
}

void Batcher::Ticket::abandon() {
  const std::lock_guard guard(lock_);
  abandoned_ = true;
  changed_.notify_all();
}

void Batcher::Ticket::start(Clock::time_point now) {
  const std::lock_guard guard(lock_);
  started_ = now;
}

void Batcher::Ticket::fulfil(ModelOutput output) {
  const std::lock_guard guard(lock_);
  output_ = std::move(output);
  changed_.notify_all();
}

void Batcher::Ticket::fail(std::exception_ptr reason) {
  const std::lock_guard guard(lock_);
  failure_ = std::move(reason);
  changed_.notify_all();
}

bool Batcher::Ticket::abandoned() const {
  const std::lock_guard guard(lock_);
  return abandoned_;
}

Batcher::Seat::Seat(std::shared_ptr<Batcher> batcher) : batcher_(std::move(batcher)) {
  const std::lock_guard guard(batcher_->lock_);
  batcher_->seats_.push_back(this);
}

Batcher::Seat::~Seat() {
  const std::lock_guard guard(batcher_->lock_);
  std::erase(batcher_->seats_, this);
  batcher_->changed_.notify_all();  // the others need not wait for this one any more
}

Batcher::TicketPtr Batcher::Seat::submit(TileBatchPtr tiles, std::string product,
                                         const BatchLimits& limits) {
  return put({{},
              {std::move(tiles), std::move(product)},
              nullptr,
              static_cast<std::size_t>(std::max(1, limits.frames)),
              Clock::now() + limits.wait});
}

Batcher::TicketPtr Batcher::Seat::submit_alone(std::function<ModelOutput()> work) {
  return put({{}, {}, std::move(work), 1, Clock::now()});
}

Batcher::TicketPtr Batcher::Seat::put(Request request) {
  auto ticket = std::make_shared<Ticket>();
  request.ticket = ticket;
  const std::lock_guard guard(batcher_->lock_);
  waiting_.push_back(std::move(request));
  batcher_->changed_.notify_all();
  return ticket;
}

Batcher::Batcher(ModelPtr model)
    : model_(std::move(model)),
      joint_(dynamic_cast<const JointModel*>(model_.get())),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Batcher::run(const std::stop_token& stop) {
  while (true) {
    std::unique_lock guard(lock_);
    if (!changed_.wait(guard, stop, [this] { return anyone_waits(); })) return;
    while (!stop.stop_requested() && !complete() && Clock::now() < deadline()) {
      const Clock::time_point until = deadline();
      changed_.wait_until(guard, stop, until, [&] { return complete() || deadline() < until; });
    }
    Batch batch = take();
    guard.unlock();
    analyse(std::move(batch));
  }
}

bool Batcher::anyone_waits() const {
  return std::ranges::any_of(seats_, [](const Seat* seat) { return !seat->waiting_.empty(); });
}

void Batcher::leave_out_abandoned() {
  for (Seat* seat : seats_) {
    std::erase_if(seat->waiting_, [](const Seat::Request& request) {
      const TicketPtr ticket = request.ticket.lock();
      return !ticket || ticket->abandoned();
    });
  }
}

/// Whether waiting longer could bring no other stream in, or more frames than may go together.
bool Batcher::complete() const {
  std::size_t most = SIZE_MAX;
  std::size_t count = 0;
  bool everyone = true;
  for (const Seat* seat : seats_) {
    everyone = everyone && !seat->waiting_.empty();
    count += seat->waiting_.size();
    for (const Seat::Request& request : seat->waiting_) most = std::min(most, request.most);
  }
  return everyone || count >= most;
}

Batcher::Clock::time_point Batcher::deadline() const {
  Clock::time_point first = Clock::time_point::max();
  for (const Seat* seat : seats_) {
    for (const Seat::Request& request : seat->waiting_) first = std::min(first, request.deadline);
  }
  return first;
}

Batcher::Batch Batcher::take() {
  leave_out_abandoned();
  Batch batch;
  std::size_t most = SIZE_MAX;
  std::size_t idle = 0;  // seats in a row that have nothing to give
  for (std::size_t at = turn_; idle < seats_.size() && batch.size() < most; ++at) {
    auto& waiting = seats_[at % seats_.size()]->waiting_;
    if (waiting.empty()) {
      ++idle;
      continue;
    }
    if (std::min(most, waiting.front().most) <= batch.size()) break;  // the next begins with it
    idle = 0;
    most = std::min(most, waiting.front().most);
    batch.push_back(std::move(waiting.front()));
    waiting.pop_front();
    turn_ = (at + 1) % seats_.size();
  }
  return batch;
}

/// Frames that fail together are analysed one by one, so that each has its own answer: one that
/// does not fit takes nobody along, and what is too large for the memory shrinks.
void Batcher::analyse(Batch batch) const {
  const Clock::time_point now = Clock::now();
  for (const auto& request : batch) {
    if (const TicketPtr ticket = request.ticket.lock()) ticket->start(now);
  }
  if (batch.size() > 1 && joint_ != nullptr && analyse_together(batch)) return;
  for (const auto& request : batch) {
    const TicketPtr ticket = request.ticket.lock();
    if (!ticket || ticket->abandoned()) continue;
    try {
      ticket->fulfil(request.work ? request.work()
                                  : model_->analyse(*request.frame.tiles, request.frame.product));
    } catch (...) {
      ticket->fail(std::current_exception());
    }
  }
}

/// @return false if the model refused them.
bool Batcher::analyse_together(const Batch& batch) const {
  std::vector<BatchedFrame> frames;
  for (const auto& request : batch) frames.push_back(request.frame);
  std::vector<ModelOutput> outputs;
  try {
    outputs = joint_->analyse_together(frames);
  } catch (...) {
    return false;
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    if (const TicketPtr ticket = batch[i].ticket.lock()) ticket->fulfil(std::move(outputs[i]));
  }
  return true;
}

std::shared_ptr<Batcher> Batchers::of(const ModelPtr& model) {
  const std::lock_guard guard(lock_);
  std::erase_if(batchers_, [](const auto& batcher) { return batcher.expired(); });
  for (const auto& known : batchers_) {
    if (auto batcher = known.lock(); batcher && batcher->model() == model) return batcher;
  }
  auto made = std::make_shared<Batcher>(model);
  batchers_.push_back(made);
  return made;
}

}  // namespace uad
