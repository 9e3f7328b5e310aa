// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/demand.h"

#include <algorithm>

namespace uad::gst {
namespace {

constexpr char kAnnouncement[] = "uad-preproc";
constexpr char kDemand[] = "uad-demand";

}  // namespace

EventPtr announcement_event() {
  return EventPtr::adopt(gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM_STICKY,
                                              gst_structure_new_empty(kAnnouncement)));
}

bool is_announcement(GstEvent* event) { return gst_event_has_name(event, kAnnouncement) != FALSE; }

EventPtr demand_event(const std::string& sender, const Demand& demand) {
  return EventPtr::adopt(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new(kDemand, "sender", G_TYPE_STRING, sender.c_str(), "wanted", G_TYPE_BOOLEAN,
                        demand.wanted, "every", G_TYPE_BOOLEAN, demand.every, "interval",
                        G_TYPE_INT, demand.interval, nullptr)));
}

bool Demands::read(GstEvent* event) {
  if (!gst_event_has_name(event, kDemand)) return false;
  const char* sender = nullptr;
  gboolean wanted = TRUE;
  gboolean every = FALSE;
  gint interval = 1;
  if (gst_structure_get(gst_event_get_structure(event), "sender", G_TYPE_STRING, &sender, "wanted",
                        G_TYPE_BOOLEAN, &wanted, "every", G_TYPE_BOOLEAN, &every, "interval",
                        G_TYPE_INT, &interval, nullptr)) {
    by_sender_[take_string(const_cast<char*>(sender))] = {wanted != FALSE, every != FALSE,
                                                          std::max(1, interval)};
  }
  return true;
}

bool Demands::wants(std::uint64_t frame) const {
  if (by_sender_.empty()) return true;
  return std::any_of(by_sender_.begin(), by_sender_.end(), [frame](const auto& entry) {
    const Demand& demand = entry.second;
    return demand.wanted && frame % static_cast<std::uint64_t>(demand.interval) == 0;
  });
}

bool Demands::every() const {
  return std::any_of(by_sender_.begin(), by_sender_.end(),
                     [](const auto& entry) { return entry.second.every; });
}

}  // namespace uad::gst
