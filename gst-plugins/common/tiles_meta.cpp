// SPDX-License-Identifier: LGPL-2.1-or-later
#include "gst-plugins/common/tiles_meta.h"

#include <utility>

#include <gst/video/gstvideometa.h>

namespace uad::gst {
namespace {

gboolean init_meta(GstMeta* meta, gpointer, GstBuffer*) {
  reinterpret_cast<UadTilesMeta*>(meta)->tiles = new TileBatchPtr;
  return TRUE;
}

void free_meta(GstMeta* meta, GstBuffer*) { delete reinterpret_cast<UadTilesMeta*>(meta)->tiles; }

gboolean transform_meta(GstBuffer* target, GstMeta* meta, GstBuffer*, GQuark type, gpointer data) {
  if (!GST_META_TRANSFORM_IS_COPY(type)) return FALSE;
  if (static_cast<GstMetaTransformCopy*>(data)->region) return FALSE;
  add_tiles_meta(target, *reinterpret_cast<UadTilesMeta*>(meta)->tiles);
  return TRUE;
}

GType api_type() {
  static const GType type = [] {
    // each of these properties of the pixels, once changed, makes the tiles wrong
    static const gchar* tags[] = {GST_META_TAG_VIDEO_STR, GST_META_TAG_VIDEO_ORIENTATION_STR,
                                  GST_META_TAG_VIDEO_SIZE_STR, GST_META_TAG_VIDEO_COLORSPACE_STR,
                                  nullptr};
    return gst_meta_api_type_register("UadTilesMetaAPI", tags);
  }();
  return type;
}

const GstMetaInfo* meta_info() {
  static const GstMetaInfo* const info = gst_meta_register(
      api_type(), "UadTilesMeta", sizeof(UadTilesMeta), init_meta, free_meta, transform_meta);
  return info;
}

}  // namespace

void add_tiles_meta(GstBuffer* buffer, TileBatchPtr tiles) {
  GstMeta* meta = gst_buffer_add_meta(buffer, meta_info(), nullptr);
  *reinterpret_cast<UadTilesMeta*>(meta)->tiles = std::move(tiles);
}

std::optional<TileBatchPtr> tiles_of(GstBuffer* buffer) {
  GstMeta* meta = gst_buffer_get_meta(buffer, api_type());
  if (meta == nullptr) return std::nullopt;
  return *reinterpret_cast<UadTilesMeta*>(meta)->tiles;
}

}  // namespace uad::gst
