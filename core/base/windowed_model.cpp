// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/windowed_model.h"

namespace uad {

// Here, so that the libraries on both sides of the boundary share one type.
WindowedModel::~WindowedModel() = default;

}  // namespace uad
