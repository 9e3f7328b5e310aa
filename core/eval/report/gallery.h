// SPDX-License-Identifier: LGPL-2.1-or-later
// The images that a model judged worst, kept as small pictures while an evaluation passes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/base/backend.h"
#include "core/data/frame_source.h"

namespace uad::report {

/// A frame, small, and beside it its score map on the model's fixed scale.
struct GalleryPicture {
  std::string path;
  std::string kind;
  double score = 0;     ///< raw
  std::string image;    ///< "data:image/jpeg;base64,…"
  std::string heatmap;  ///< the same; a white line surrounds the labelled defect
};

struct Gallery {
  std::vector<GalleryPicture> defective;  ///< lowest scores first: missed, or nearest to it
  std::vector<GalleryPicture> good;       ///< highest scores first: falsely rejected, or nearest
};

/// Memory does not grow with the number of frames. @note One thread.
class GalleryKeeper {
 public:
  /// @param map_scale  of the model. @param most  pictures of each side; 0 = keeps none.
  GalleryKeeper(const ScoreScale& map_scale, std::size_t most)
      : map_scale_(map_scale), most_(most) {}
  /// Keeps the frame if it is among the worst so far. @throws Error(kFailed) if it cannot be
  /// encoded.
  void offer(const LabelledFrame& frame, const ModelOutput& output);
  [[nodiscard]] const Gallery& gallery() const { return gallery_; }

 private:
  ScoreScale map_scale_;
  std::size_t most_;
  Gallery gallery_;
};

/// The heatmap of a gallery: grey frame under colours from dark blue (lo) over green (thr) to
/// yellow (hi). @param frame  RGB at the wanted size. @param placement  of the map in the picture,
/// pixels.
/// @param defect  one channel of the picture's size, non-zero = defect; may be empty.
Image draw_heatmap(const Image& frame, const ScoreMap& map, const RectF& placement,
                   const ScoreScale& scale, const Image& defect);

/// The colours of draw_heatmap from lo to hi, evenly spaced: "#440154".
std::vector<std::string> heatmap_colours(std::size_t count);

}  // namespace uad::report
