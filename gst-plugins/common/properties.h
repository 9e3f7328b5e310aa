// SPDX-License-Identifier: LGPL-2.1-or-later
// Properties as a table over a plain settings struct: the struct's own values are the defaults.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <gst/gst.h>

#include "gst-plugins/common/ptr.h"

namespace uad::gst {

/// Up to which state of the element a property may be written.
enum class Writable {
  kReady = GST_PARAM_MUTABLE_READY,
  kPaused = GST_PARAM_MUTABLE_PAUSED,
  kPlaying = GST_PARAM_MUTABLE_PLAYING,
};

/// FALSE, with an element warning that names property and state, if it is too late to write it.
bool writable_now(GObject* object, GParamSpec* spec);

GParamFlags property_flags(Writable writable);

/// An action signal with at most one argument. @param argument  G_TYPE_NONE = none.
void add_action(GObjectClass* klass, const char* name, GCallback handler,
                GType answer = G_TYPE_NONE, GType argument = G_TYPE_NONE);

/// What every property has. The unit is shown with the nick and with the blurb, because
/// gst-inspect-1.0 prints only the latter.
struct PropertyText {
  const char* name;
  const char* nick;
  const char* unit;   ///< "ms", "path", "choice" …; "" for a switch
  const char* blurb;  ///< meaning, range, special values, effect
};

/// The same with the unit in nick and blurb, as text that lives for ever.
PropertyText with_unit(const PropertyText& text);

GParamSpec* real_spec(const PropertyText& p, double low, double high, double default_value,
                      GParamFlags flags);

/// Every field as text, as gst-launch-1.0 writes it; none of a null structure.
std::map<std::string, std::string> to_fields(const GstStructure* structure);
StructurePtr to_structure(const char* name, const std::map<std::string, std::string>& fields);

/// @tparam S  settings struct. All pointers are to static text.
template <class S>
class Properties {
 public:
  Properties& text(const PropertyText& text, std::string S::*member, Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        g_param_spec_string(p.name, p.nick, p.blurb, (S{}.*member).c_str(),
                            property_flags(writable)),
        [member](const S& s, GValue* v) { g_value_set_string(v, (s.*member).c_str()); },
        [member](S& s, const GValue* v) {
          const char* text = g_value_get_string(v);
          s.*member = text != nullptr ? text : "";
        });
  }
  Properties& integer(const PropertyText& text, int S::*member, int low, int high,
                      Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        g_param_spec_int(p.name, p.nick, p.blurb, low, high, S{}.*member, property_flags(writable)),
        [member](const S& s, GValue* v) { g_value_set_int(v, s.*member); },
        [member](S& s, const GValue* v) { s.*member = g_value_get_int(v); });
  }
  /// The default may be NaN, which then is a legal value.
  Properties& real(const PropertyText& text, double S::*member, double low, double high,
                   Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        real_spec(p, low, high, S{}.*member, property_flags(writable)),
        [member](const S& s, GValue* v) { g_value_set_double(v, s.*member); },
        [member](S& s, const GValue* v) { s.*member = g_value_get_double(v); });
  }
  Properties& flag(const PropertyText& text, bool S::*member, Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        g_param_spec_boolean(p.name, p.nick, p.blurb, S{}.*member, property_flags(writable)),
        [member](const S& s, GValue* v) { g_value_set_boolean(v, s.*member); },
        [member](S& s, const GValue* v) { s.*member = g_value_get_boolean(v) != FALSE; });
  }
  template <class E>
  Properties& choice(const PropertyText& text, E S::*member, GType type, Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        g_param_spec_enum(p.name, p.nick, p.blurb, type, static_cast<gint>(S{}.*member),
                          property_flags(writable)),
        [member](const S& s, GValue* v) { g_value_set_enum(v, static_cast<gint>(s.*member)); },
        [member](S& s, const GValue* v) { s.*member = static_cast<E>(g_value_get_enum(v)); });
  }

  /// Names and values as text, in GStreamer a structure of any name.
  Properties& fields(const PropertyText& text, std::map<std::string, std::string> S::*member,
                     Writable writable) {
    const PropertyText p = with_unit(text);
    return add(
        g_param_spec_boxed(p.name, p.nick, p.blurb, GST_TYPE_STRUCTURE, property_flags(writable)),
        [member, name = p.name](const S& s, GValue* v) {
          if ((s.*member).empty()) return g_value_set_boxed(v, nullptr);
          g_value_take_boxed(v, to_structure(name, s.*member).release());
        },
        [member](S& s, const GValue* v) {
          s.*member = to_fields(static_cast<const GstStructure*>(g_value_get_boxed(v)));
        });
  }

  /// Ids run from 1 in the order of the table. Called once, from class_init.
  void install(GObjectClass* klass) const {
    for (guint id = 1; id <= count(); ++id) {
      g_object_class_install_property(klass, id, entries_[id - 1].spec);
    }
  }
  [[nodiscard]] guint count() const { return static_cast<guint>(entries_.size()); }

  void get(const S& settings, guint id, GValue* value) const {
    entries_.at(id - 1).get(settings, value);
  }
  /// @return false if the element's state forbids it.
  bool set(GObject* object, GParamSpec* spec, guint id, const GValue* value, std::mutex& lock,
           S& settings) const {
    if (!writable_now(object, spec)) return false;
    const std::lock_guard guard(lock);
    entries_.at(id - 1).set(settings, value);
    return true;
  }

 private:
  using Get = std::function<void(const S&, GValue*)>;
  using Set = std::function<void(S&, const GValue*)>;
  struct Entry {
    GParamSpec* spec;
    Get get;
    Set set;
  };
  Properties& add(GParamSpec* spec, Get get, Set set) {
    entries_.push_back({spec, std::move(get), std::move(set)});
    return *this;
  }
  std::vector<Entry> entries_;
};

/// The same property in every element that looks at pixels.
template <class S>
void add_white_level(Properties<S>& table, int S::*member) {
  table.integer({"white-level", "White of GRAY16_LE video", "pixel value",
                 "Pixel value that counts as white, and all above; 4095 for a camera that delivers "
                 "12 bits in the low ones (Mono12). Other formats do not look at it"},
                member, 1, G_MAXUINT16, Writable::kPlaying);
}

}  // namespace uad::gst
