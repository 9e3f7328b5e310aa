// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/demand.h"

#include <algorithm>

namespace uad::gst {
namespace {

constexpr char kAnnouncement[] = "uad-preproc";
constexpr char kDemand[] = "uad-demand";

std::string text_field(const GstStructure* fields, const char* name) {
  const char* text = gst_structure_get_string(fields, name);
  return text != nullptr ? text : "";
}

using Cutter = std::shared_ptr<const Preprocessor>;

GType cutter_type() {
  static const GType type = [] {
    constexpr char kName[] = "UadCutter";  // a program may hold this code twice, as tests do
    const GType known = g_type_from_name(kName);
    if (known != 0) return known;
    return g_boxed_type_register_static(
        kName, [](gpointer from) -> gpointer { return new Cutter(*static_cast<Cutter*>(from)); },
        [](gpointer cutter) { delete static_cast<Cutter*>(cutter); });
  }();
  return type;
}

Cutter cutter_field(const GstStructure* fields) {
  const GValue* value = gst_structure_get_value(fields, "cutter");
  return value != nullptr ? *static_cast<Cutter*>(g_value_get_boxed(value)) : nullptr;
}

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
                        G_TYPE_INT, demand.interval, "model", G_TYPE_STRING, demand.model.c_str(),
                        "sha256", G_TYPE_STRING, demand.sha256.c_str(), "cutter", cutter_type(),
                        &demand.cutter, nullptr)));
}

std::optional<Demand> Demands::read(GstEvent* event) {
  if (!gst_event_has_name(event, kDemand)) return std::nullopt;
  const GstStructure* fields = gst_event_get_structure(event);
  gboolean wanted = TRUE;
  gboolean every = FALSE;
  Demand demand;
  gst_structure_get(fields, "wanted", G_TYPE_BOOLEAN, &wanted, "every", G_TYPE_BOOLEAN, &every,
                    "interval", G_TYPE_INT, &demand.interval, nullptr);
  demand.wanted = wanted != FALSE;
  demand.every = every != FALSE;
  demand.interval = std::max(1, demand.interval);
  demand.model = text_field(fields, "model");
  demand.sha256 = text_field(fields, "sha256");
  demand.cutter = cutter_field(fields);
  Demand& known = by_sender_[text_field(fields, "sender")];
  const bool had_one = !known.model.empty();
  if (demand.model.empty()) {  // between two streams nothing is in service
    demand.model = known.model;
    demand.sha256 = known.sha256;
  }
  const bool swapped = had_one && (demand.model != known.model || demand.sha256 != known.sha256);
  known = demand;
  known.cutter.reset();
  if (!swapped) {
    demand.model.clear();
    demand.sha256.clear();
    demand.cutter.reset();
  }
  return demand;
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
