// SPDX-License-Identifier: LGPL-2.1-or-later
// Several frames of uadinfer in flight: a bounded queue, and the task of the source pad that takes
// them out in their order, each as soon as its result is there.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <variant>

#include <gst/gst.h>

#include "core/base/engine/inference_engine.h"
#include "gst-plugins/common/ptr.h"

namespace uad::gst {

/// A frame counts as in flight until its result is there; what waits for downstream then is
/// downstream's. Nothing is held back until something else arrives.
/// @note One thread puts in; start(), stop() and the flushes belong to pad activation and to flush
/// events; the rest is thread-safe.
class InferQueue {
 public:
  /// Waits for the frame's result and attaches it, on the task's thread. The buffer may be
  /// replaced.
  using Finish = std::function<GstFlowReturn(BufferPtr& buffer, PendingFrame frame)>;

  /// @param source  where everything leaves; owned by the element, as this is.
  /// @param finish  must not throw.
  InferQueue(GstPad* source, Finish finish) : source_(source), finish_(std::move(finish)) {}

  /// The source pad is activated: starts the task. @param frames  in flight at once, at most.
  void start(int frames);
  /// It is deactivated: drops everything and ends the task. Whoever waits in `finish` must have
  /// been woken.
  void stop();
  /// Whether the task was started.
  [[nodiscard]] bool active() const;
  /// At most so many frames are in flight; 0 = it is not active.
  [[nodiscard]] int capacity() const;

  /// From now on nothing gets in, what is inside is dropped (sticky events stay with the pad), and
  /// whoever waits is woken. Flushes do nothing while it is not active.
  void begin_flush();
  /// Once downstream flushes: waits until the task is at rest.
  void rest();
  /// Everything may come again.
  void end_flush();
  /// Downstream was linked anew: goes on after NOT_LINKED.
  void relinked();

  /// Waits until another frame may come. @return else what downstream or an analysis answered.
  GstFlowReturn wait_for_room();
  void put(BufferPtr buffer, PendingFrame frame);
  /// A serialised event that comes behind the frames so far. What the base class keeps track of
  /// (caps, segment, end of stream …) is left to it, once those frames have left.
  /// @return whether the event was taken over: it leaves in its place, or is dropped by a flush.
  bool takes(GstEvent* event);
  /// Waits until all that was put in has left. @return as wait_for_room().
  GstFlowReturn drain();

  /// Asks upstream for the buffers that are held here, beyond those that downstream asks for in its
  /// answer. A pool that cannot have as many is left out. @param query  ALLOCATION.
  void ask_for_buffers(GstQuery* query) const;

 private:
  struct Frame {
    BufferPtr buffer;
    PendingFrame pending;
  };
  using Item = std::variant<Frame, EventPtr>;

  void run();
  void let_out(Frame frame);
  void settle(GstFlowReturn flow);
  void tell_failure(GstFlowReturn flow) const;
  std::deque<Item> close(GstFlowReturn flow);
  void reopen();

  GstPad* source_;
  Finish finish_;
  mutable std::mutex lock_;  // guards everything below; not held while anything is pushed
  std::condition_variable changed_;
  std::deque<Item> items_;
  int capacity_ = 0;
  int in_flight_ = 0;  // frames in items_, and the one that the task waits for
  bool busy_ = false;  // the task has taken something out that has not left yet
  GstFlowReturn flow_ = GST_FLOW_FLUSHING;
};

}  // namespace uad::gst
