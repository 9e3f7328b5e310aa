// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/enums.h"

#include "core/base/engine/part_tracker.h"
#include "core/base/overlay/overlay_painter.h"

namespace uad::gst {

GType live_policy_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(LivePolicy::kAuto), "latest if upstream is live, else every", "auto"},
      {static_cast<gint>(LivePolicy::kLatest), "Video never waits; frames carry the newest result",
       "latest"},
      {static_cast<gint>(LivePolicy::kEvery), "Every frame leaves with its own result", "every"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("UadLivePolicy", values);
  return type;
}

GType precision_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Precision::kModel), "As the model was calibrated", "model"},
      {static_cast<gint>(Precision::kFp32), "32-bit floating point", "fp32"},
      {static_cast<gint>(Precision::kBf16), "bfloat16, where the CPU has it", "bf16"},
      {static_cast<gint>(Precision::kFp16), "16-bit floating point", "fp16"},
      {static_cast<gint>(Precision::kAuto), "The fastest that passes the self-test", "auto"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("UadPrecision", values);
  return type;
}

GType messages_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Messages::kAll), "One uad-result for every analysis", "all"},
      {static_cast<gint>(Messages::kChange), "One uad-result when the verdict changes", "change"},
      {static_cast<gint>(Messages::kNone), "No uad-result", "none"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("UadMessages", values);
  return type;
}

GType part_boundary_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(PartBoundary::kNone), "No verdicts per part", "none"},
      {static_cast<gint>(PartBoundary::kEvent), "uad-part events, begin-part and end-part",
       "event"},
      {static_cast<gint>(PartBoundary::kMotion), "What stands still between two movements",
       "motion"},
      {static_cast<gint>(PartBoundary::kPeriod), "Equal times, one after the other", "period"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("UadPartBoundary", values);
  return type;
}

GType colormap_type() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Colormap::kTurbo), "Blue, green, yellow, red; even steps", "turbo"},
      {static_cast<gint>(Colormap::kJet), "Blue, cyan, yellow, red", "jet"},
      {static_cast<gint>(Colormap::kInferno), "Black, purple, orange, yellow", "inferno"},
      {static_cast<gint>(Colormap::kHot), "Black, red, yellow, white", "hot"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("UadColormap", values);
  return type;
}

const char* nick_of(GType type, int value) {
  auto* klass = static_cast<GEnumClass*>(g_type_class_ref(type));
  const GEnumValue* found = g_enum_get_value(klass, value);
  const char* nick = found != nullptr ? found->value_nick : "";
  g_type_class_unref(klass);
  return nick;  // static text of the tables above
}

}  // namespace uad::gst
