// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/properties.h"

#include <cmath>
#include <string>

namespace uad::gst {

bool writable_now(GObject* object, GParamSpec* spec) {
  GstElement* element = GST_ELEMENT(object);
  GstState last = GST_STATE_READY;
  if (spec->flags & GST_PARAM_MUTABLE_PLAYING) return true;
  if (spec->flags & GST_PARAM_MUTABLE_PAUSED) last = GST_STATE_PAUSED;
  const GstState state = GST_STATE(element);
  if (state <= last) return true;
  GST_ELEMENT_WARNING(
      element, LIBRARY, SETTINGS,
      ("Property \"%s\" can be written up to state %s, but the element is in %s; "
       "the old value stays.",
       spec->name, gst_element_state_get_name(last), gst_element_state_get_name(state)),
      (nullptr));
  return false;
}

GParamFlags property_flags(Writable writable) {
  return static_cast<GParamFlags>(static_cast<int>(G_PARAM_READWRITE) |
                                  static_cast<int>(G_PARAM_STATIC_STRINGS) |
                                  static_cast<int>(writable));
}

void add_action(GObjectClass* klass, const char* name, GCallback handler, GType answer,
                GType argument) {
  g_signal_new_class_handler(name, G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             handler, nullptr, nullptr, nullptr, answer,
                             argument == G_TYPE_NONE ? 0 : 1, argument);
}

PropertyText with_unit(const PropertyText& text) {
  if (*text.unit == '\0') return text;
  const std::string unit = std::string(" (") + text.unit + ")";
  return {text.name, g_intern_string((text.nick + unit).c_str()), text.unit,
          g_intern_string((text.blurb + unit).c_str())};
}

std::map<std::string, std::string> to_fields(const GstStructure* structure) {
  std::map<std::string, std::string> fields;
  const int count = structure != nullptr ? gst_structure_n_fields(structure) : 0;
  for (int i = 0; i < count; ++i) {
    const char* const name = gst_structure_nth_field_name(structure, static_cast<guint>(i));
    const GValue* const value = gst_structure_get_value(structure, name);
    fields[name] = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value)
                                               : take_string(gst_value_serialize(value));
  }
  return fields;
}

StructurePtr to_structure(const char* name, const std::map<std::string, std::string>& fields) {
  StructurePtr structure(gst_structure_new_empty(name));
  for (const auto& [key, value] : fields) {
    gst_structure_set(structure.get(), key.c_str(), G_TYPE_STRING, value.c_str(), nullptr);
  }
  return structure;
}

GParamSpec* real_spec(const PropertyText& p, double low, double high, double default_value,
                      GParamFlags flags) {
  if (!std::isnan(default_value)) {
    return g_param_spec_double(p.name, p.nick, p.blurb, low, high, default_value, flags);
  }
  // GLib's own checks compare, and NaN compares with nothing
  GParamSpec* spec = g_param_spec_double(p.name, p.nick, p.blurb, low, high, low,
                                         static_cast<GParamFlags>(flags | G_PARAM_LAX_VALIDATION));
  G_PARAM_SPEC_DOUBLE(spec)->default_value = default_value;
  return spec;
}

}  // namespace uad::gst
