// SPDX-License-Identifier: LGPL-2.1-or-later
// The frames of one stream that were handed over and not collected yet, so that all can be given
// up.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "core/base/engine/batcher.h"

namespace uad {

/// @note Thread-safe.
class InFlight {
 public:
  /// While interrupted, a frame is abandoned at once.
  void add(const Batcher::TicketPtr& ticket) {
    const std::lock_guard guard(lock_);
    std::erase_if(tickets_, [](const auto& known) { return known.expired(); });
    tickets_.push_back(ticket);
    if (interrupted_) ticket->abandon();
  }
  /// Abandons all, and those to come until resume().
  void interrupt() {
    const std::lock_guard guard(lock_);
    interrupted_ = true;
    for (const auto& known : tickets_) {
      if (const auto ticket = known.lock()) ticket->abandon();
    }
    tickets_.clear();
  }
  void resume() {
    const std::lock_guard guard(lock_);
    interrupted_ = false;
  }

 private:
  std::mutex lock_;  // guards the rest; taken before a ticket's own
  std::vector<std::weak_ptr<Batcher::Ticket>> tickets_;
  bool interrupted_ = false;
};

}  // namespace uad
