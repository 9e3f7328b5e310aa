// SPDX-License-Identifier: LGPL-2.1-or-later
// Paints a result onto the frame it belongs to: tint, contour, boxes, banner, legend.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>

#include "core/base/geometry/geometry.h"
#include "core/base/pixels/colour.h"
#include "core/base/pixels/frame_view.h"
#include "core/base/results/regions.h"
#include "core/base/results/score_map.h"
#include "core/base/results/verdict.h"

namespace uad {

class TextWriter;

enum class Colormap { kTurbo, kJet, kInferno, kHot };

struct OverlayOptions {
  bool heatmap = true;                   ///< tint where the map exceeds the warn level
  double alpha = 0.5;                    ///< opacity of the tint, 0…1
  Colormap colormap = Colormap::kTurbo;  ///< warn level → first colour, high end → last
  bool contour = true;                   ///< line where the map crosses its threshold
  bool boxes = true;                     ///< one box a region
  bool banner = true;                    ///< verdict, score and limit
  bool legend = true;                    ///< colour bar with the map's low end, threshold, high end
  bool operator==(const OverlayOptions&) const = default;
};

/// What is known of one frame. Borrowed for the call.
struct OverlayInput {
  const ScoreMap* map = nullptr;  ///< null: no tint, no contour
  RectF placement;                ///< of the map in the frame, frame pixels
  Thresholds thresholds;          ///< used for this result; both scales are fixed, never per frame
  Verdict verdict = Verdict::kUnscored;
  double score = 0;             ///< raw image score
  double normalised_score = 0;  ///< 0…1, 0.5 = reject
  std::span<const Region> regions;
  double age_ms = 0;   ///< of the result; shown from 100 ms on
  std::string notice;  ///< replaces score and limit in the banner, e.g. "no model yet" (ASCII)
};

/// Paints straight into every PixelFormat; pixels outside of what is drawn keep their value. A
/// grey frame gets stripes for the tint and shades for the colours. An unscored frame gets its
/// banner and nothing else: an old map must not read as a result. @note Thread-safe.
class OverlayPainter final {
 public:
  /// @throws Error(kBadOption) if alpha is not within 0…1.
  explicit OverlayPainter(const OverlayOptions& options);
  ~OverlayPainter();
  OverlayPainter(OverlayPainter&&) noexcept;
  OverlayPainter& operator=(OverlayPainter&&) noexcept;
  [[nodiscard]] const OverlayOptions& options() const noexcept { return options_; }

  /// Frames of any size, odd and tiny ones too; text that would be too small to read is left out.
  /// @throws Error(kShapeMismatch) if the frame is empty or lacks a plane, or the map its values.
  void paint(const MutableFrameView& frame, const OverlayInput& input) const;

 private:
  OverlayOptions options_;
  std::array<Colour, 256> colours_;
  std::unique_ptr<TextWriter> text_;
};

/// Green, amber, red, grey.
Colour verdict_colour(Verdict verdict);

}  // namespace uad
