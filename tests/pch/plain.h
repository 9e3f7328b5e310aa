// SPDX-License-Identifier: LGPL-2.1-or-later
// Precompiled: what tests without tensors need.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
