// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/uadinfer_actions.h"

#include "gst-plugins/common/properties.h"

namespace uad::gst {
namespace {

void reload(gpointer element) { session_of(element).reload(); }
gboolean undo(gpointer element) { return session_of(element).undo(); }
gboolean promote(gpointer element) { return session_of(element).promote(); }

gboolean mark_good(gpointer element, guint64 pts) { return session_of(element).mark_good(pts); }

void begin_part(gpointer element, const char* id) {
  session_of(element).begin_part(id != nullptr ? id : "");
}
void end_part(gpointer element) { session_of(element).end_part(); }

}  // namespace

void install_infer_actions(GObjectClass* klass) {
  add_action(klass, "reload", G_CALLBACK(reload));
  add_action(klass, "undo", G_CALLBACK(undo), G_TYPE_BOOLEAN);
  add_action(klass, "promote", G_CALLBACK(promote), G_TYPE_BOOLEAN);
  add_action(klass, "mark-good", G_CALLBACK(mark_good), G_TYPE_BOOLEAN, G_TYPE_UINT64);
  add_action(klass, "begin-part", G_CALLBACK(begin_part), G_TYPE_NONE, G_TYPE_STRING);
  add_action(klass, "end-part", G_CALLBACK(end_part));
}

}  // namespace uad::gst
