// SPDX-License-Identifier: LGPL-2.1-or-later
// What a model can be besides: one that takes several frames at once.
#pragma once

#include <string>
#include <vector>

#include "core/base/backend.h"

namespace uad {

/// One of several frames that go through a model together.
struct BatchedFrame {
  TileBatchPtr tiles;
  std::string product;  ///< see Model::analyse()
};

/// A Model that is none of these is given its frames one by one. @note Thread-safe, as Model.
class JointModel {
 public:
  virtual ~JointModel();
  /// What Model::analyse() says of each frame, perhaps of several streams, in less time than one by
  /// one. Scores and maps differ from those by rounding at most, which the self-test's tolerance
  /// covers; `infer_ms` of each is the time of all. @return one a frame, in their order.
  /// @throws as Model::analyse(), for all of them if one does not fit.
  [[nodiscard]] virtual std::vector<ModelOutput> analyse_together(
      const std::vector<BatchedFrame>& frames) const = 0;
};

}  // namespace uad
