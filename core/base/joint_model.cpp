// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/joint_model.h"

namespace uad {

// Here, so that the libraries on both sides of the boundary share one type.
JointModel::~JointModel() = default;

}  // namespace uad
