// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/pictures.h"

namespace uad::tools {

Image painted(Image frame, const OverlayInput& input) {
  static const OverlayPainter painter{OverlayOptions{}};
  MutableFrameView view{PixelFormat::kRgb, frame.width, frame.height, {}, {}};
  view.planes[0] = {frame.pixels.data(), static_cast<std::ptrdiff_t>(frame.width) * 3};
  painter.paint(view, input);
  return frame;
}

}  // namespace uad::tools
