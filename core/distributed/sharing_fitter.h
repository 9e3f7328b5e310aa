// SPDX-License-Identifier: LGPL-2.1-or-later
// A fitter of which several processes may each have one, shown a part of the frames.
#pragma once

#include "core/anomaly_model.h"
#include "core/distributed/communicator.h"

namespace uad {

class SharingFitter : public Fitter {
 public:
  /// Whether gather() can make one fit of them; asked before anything is observed.
  [[nodiscard]] virtual bool shares_frames() const = 0;
  /// After observing: as if this one had observed all that those of `processes` have, in their
  /// order.
  virtual void gather(Communicator& processes) = 0;
};

}  // namespace uad
