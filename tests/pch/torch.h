// SPDX-License-Identifier: LGPL-2.1-or-later
// Precompiled: what tests with tensors need.
#include "../../core/pch/torch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
