// SPDX-License-Identifier: LGPL-2.1-or-later
// How uadpreproc and uadinfer agree what is worth cutting: uadpreproc announces itself downstream,
// every uadinfer behind it answers upstream with the frames it wants and the model it has.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include <gst/gst.h>

#include "core/base/backend.h"
#include "gst-plugins/common/ptr.h"

namespace uad::gst {

/// What one uadinfer wants of the frames to come.
struct Demand {
  bool wanted = true;  ///< false: the next frame will not be analysed
  bool every = false;  ///< true: each due frame must be cut, even if it has to wait
  int interval = 1;    ///< cut every n-th frame
  std::string model;   ///< file of the model in service; empty = none yet
  std::string sha256;  ///< of that file as it was loaded
  /// How that model wants frames cut, without its file, which may be another one by now.
  std::shared_ptr<const Preprocessor> cutter;
  bool operator==(const Demand&) const = default;
};

/// Sticky, downstream.
EventPtr announcement_event();
bool is_announcement(GstEvent* event);

/// Upstream. @param sender  a name that is unique in the pipeline.
EventPtr demand_event(const std::string& sender, const Demand& demand);

/// The wishes of all elements downstream (there may be a tee). @note Not thread-safe.
class Demands {
 public:
  /// @return nullopt if the event is no demand; else that demand, with `model`, `sha256` and
  /// `cutter` only if its sender has swapped its model since its last one.
  std::optional<Demand> read(GstEvent* event);
  /// Whether the frame with this number (from 0) is wanted by anyone, or nobody has spoken.
  [[nodiscard]] bool wants(std::uint64_t frame) const;
  [[nodiscard]] bool empty() const { return by_sender_.empty(); }
  /// Somebody needs each of its frames.
  [[nodiscard]] bool every() const;
  void clear() { by_sender_.clear(); }

 private:
  std::map<std::string, Demand> by_sender_;
};

}  // namespace uad::gst
