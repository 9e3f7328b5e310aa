// SPDX-License-Identifier: LGPL-2.1-or-later
// Carries the tiles of a frame from uadpreproc to uadinfer.
#pragma once

#include <optional>

#include <gst/gst.h>

#include "core/base/backend.h"

namespace uad::gst {

/// Belongs to exactly these pixels: copied with the whole buffer, dropped on every transformation.
struct UadTilesMeta {
  GstMeta meta;
  TileBatchPtr* tiles;  ///< owned by the meta; the batch is shared with running analyses
};

/// @param tiles  null = uadpreproc left this frame out.
void add_tiles_meta(GstBuffer* buffer, TileBatchPtr tiles);

/// @return nullopt if uadpreproc never saw this buffer; null if it left the frame out.
std::optional<TileBatchPtr> tiles_of(GstBuffer* buffer);

}  // namespace uad::gst
