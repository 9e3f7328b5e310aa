// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_queue.h"

#include <utility>

#include <gst/video/video.h>

GST_DEBUG_CATEGORY_EXTERN(uad_infer_debug);
#define GST_CAT_DEFAULT uad_infer_debug

namespace uad::gst {

void InferQueue::start(int frames) {
  const std::lock_guard guard(lock_);
  capacity_ = frames;
  reopen();
}

void InferQueue::stop() {
  if (!active()) return;
  begin_flush();
  gst_pad_stop_task(source_);
  const std::lock_guard guard(lock_);
  capacity_ = 0;
}

bool InferQueue::active() const { return capacity() > 0; }

int InferQueue::capacity() const {
  const std::lock_guard guard(lock_);
  return capacity_;
}

void InferQueue::begin_flush() {
  std::unique_lock guard(lock_);
  const std::deque<Item> gone = close(GST_FLOW_FLUSHING);
  guard.unlock();
  for (const Item& item : gone) {
    const auto* event = std::get_if<EventPtr>(&item);
    if (event == nullptr) continue;
    const GstEventTypeFlags flags = gst_event_type_get_flags(GST_EVENT_TYPE(event->get()));
    if ((flags & GST_EVENT_TYPE_STICKY) != 0) gst_pad_store_sticky_event(source_, event->get());
  }
}

void InferQueue::rest() {
  if (active()) gst_pad_pause_task(source_);
}

void InferQueue::end_flush() {
  const std::lock_guard guard(lock_);
  if (capacity_ > 0) reopen();
}

void InferQueue::relinked() {
  const std::lock_guard guard(lock_);
  if (capacity_ > 0 && flow_ == GST_FLOW_NOT_LINKED) reopen();
}

/// Called with lock_ held, as whatever pauses the task is: so the later of the two wins.
void InferQueue::reopen() {
  flow_ = GST_FLOW_OK;
  gst_pad_start_task(
      source_, [](gpointer queue) { static_cast<InferQueue*>(queue)->run(); }, this, nullptr);
}

/// Called with lock_ held. @return what was inside, to be let go of without the lock.
std::deque<InferQueue::Item> InferQueue::close(GstFlowReturn flow) {
  flow_ = flow;
  in_flight_ = 0;
  changed_.notify_all();
  return std::exchange(items_, {});
}

GstFlowReturn InferQueue::wait_for_room() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return in_flight_ < capacity_ || flow_ != GST_FLOW_OK; });
  return flow_;
}

void InferQueue::put(BufferPtr buffer, PendingFrame frame) {
  const std::lock_guard guard(lock_);
  if (flow_ != GST_FLOW_OK) return;
  ++in_flight_;
  items_.emplace_back(Frame{std::move(buffer), std::move(frame)});
  changed_.notify_all();
}

bool InferQueue::takes(GstEvent* event) {
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_FLUSH_STOP:
      return false;
    case GST_EVENT_STREAM_START:
    case GST_EVENT_CAPS:
    case GST_EVENT_SEGMENT:
      drain();
      return false;
    case GST_EVENT_EOS:
      tell_failure(drain());
      return false;
    default:
      break;
  }
  EventPtr owned = EventPtr::adopt(event);
  const std::lock_guard guard(lock_);
  if (flow_ == GST_FLOW_OK) items_.emplace_back(std::move(owned));
  changed_.notify_all();
  return true;
}

/// After the end of the stream upstream never asks how it went. What failed as GST_FLOW_ERROR has
/// been told by whoever failed.
void InferQueue::tell_failure(GstFlowReturn flow) const {
  const bool well = flow >= GST_FLOW_OK || flow == GST_FLOW_FLUSHING || flow == GST_FLOW_EOS;
  if (well || flow == GST_FLOW_ERROR) return;
  GstElement* element = GST_ELEMENT(GST_OBJECT_PARENT(source_));
  GST_ELEMENT_FLOW_ERROR(element, flow);
}

GstFlowReturn InferQueue::drain() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return (items_.empty() && !busy_) || flow_ != GST_FLOW_OK; });
  return flow_;
}

/// One item; the task calls this again and again until it is paused.
void InferQueue::run() {
  std::unique_lock guard(lock_);
  changed_.wait(guard, [this] { return !items_.empty() || flow_ != GST_FLOW_OK; });
  if (flow_ != GST_FLOW_OK) {
    gst_pad_pause_task(source_);
    return;
  }
  Item item = std::move(items_.front());
  items_.pop_front();
  busy_ = true;
  guard.unlock();
  if (auto* event = std::get_if<EventPtr>(&item)) {
    gst_pad_push_event(source_, event->release());
    settle(GST_FLOW_OK);
  } else {
    let_out(std::move(std::get<Frame>(item)));
  }
}

void InferQueue::let_out(Frame frame) {
  GstFlowReturn flow = finish_(frame.buffer, std::move(frame.pending));
  {
    const std::lock_guard guard(lock_);
    if (in_flight_ > 0) --in_flight_;
    changed_.notify_all();
  }
  if (flow == GST_FLOW_OK) flow = gst_pad_push(source_, frame.buffer.release());
  if (flow != GST_FLOW_OK) {
    GST_DEBUG_OBJECT(source_, "the stream stops: %s", gst_flow_get_name(flow));
  }
  settle(flow);
}

void InferQueue::settle(GstFlowReturn flow) {
  std::deque<Item> gone;
  const std::lock_guard guard(lock_);
  busy_ = false;
  if (flow_ == GST_FLOW_OK && flow != GST_FLOW_OK) gone = close(flow);
  changed_.notify_all();
}

void InferQueue::ask_for_buffers(GstQuery* query) const {
  const auto more = static_cast<guint>(capacity());
  if (more == 0) return;
  const guint pools = gst_query_get_n_allocation_pools(query);
  for (guint i = 0; i < pools; ++i) {
    GstBufferPool* pool = nullptr;
    guint size = 0;
    guint least = 0;
    guint most = 0;
    gst_query_parse_nth_allocation_pool(query, i, &pool, &size, &least, &most);
    const auto owned = ObjectPtr<GstBufferPool>::adopt(pool);
    const bool enough = most == 0 || least + more <= most;
    gst_query_set_nth_allocation_pool(query, i, enough ? pool : nullptr, size, least + more,
                                      enough ? most : 0);
  }
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  GstVideoInfo info;
  if (pools > 0 || caps == nullptr || !gst_video_info_from_caps(&info, caps)) return;
  gst_query_add_allocation_pool(query, nullptr, static_cast<guint>(info.size), more, 0);
}

}  // namespace uad::gst
