// SPDX-License-Identifier: LGPL-2.1-or-later
// What --protocol names: one of the published protocols, or a YAML file of the user's own.
#pragma once

#include <string>

#include "core/data/protocol.h"

namespace uad::tools {

/// @param name  of a published protocol, or the path of a file that ends in .yaml or .yml.
/// @throws UsageError for an unknown name and for a file that is no protocol, with the place.
Protocol read_protocol(const std::string& name);

}  // namespace uad::tools
