// SPDX-License-Identifier: LGPL-2.1-or-later
// Protocols of growth: which products a model learns together, and in which order. Source:
// specification, data sets, section 7.
//
// Tasks and products are counted from 0 in here, products of the published sets from 1 in words.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/data/dataset.h"

namespace uad {

struct ProtocolTask {
  std::vector<std::string> products;
  /// Of the method, in place of those of the whole run; values or texts.
  nlohmann::json options = nlohmann::json::object();
};

struct Protocol {
  std::string name;
  std::string dataset;  ///< "mvtec", "visa", or what the user calls his own
  std::vector<ProtocolTask> tasks;
  /// Of products whose images are not in the folder of that name below the root.
  std::map<std::string, std::filesystem::path> paths = {};
};

/// The 15 categories of MVTec AD by number.
const std::vector<std::string>& mvtec_products();
/// The 12 objects of VisA by number.
const std::vector<std::string>& visa_products();

/// The seven published ones.
const std::vector<Protocol>& known_protocols();

/// @param name  "10-1", "10-1x5", "mvtec-10-1": the data set and the number of steps may be told.
/// @throws Error(kBadOption) listing the known names, the nearest first.
const Protocol& find_protocol(const std::string& name);

/// Keys `tasks`, and maybe `name`, `dataset`, `paths`; a task is a list of products or an object
/// of `products` and `options`.
/// @param source  the file it comes from, for messages and where it has no name.
/// @throws Error(kBadFile) for unknown keys, a task without product, or a product that comes twice.
Protocol parse_protocol(const nlohmann::json& text, const std::string& source);

/// What parse_protocol() reads.
nlohmann::json to_json(const Protocol& protocol);

/// Of the tasks up to `last`, in the order in which they are learnt.
std::vector<std::string> products_up_to(const Protocol& protocol, std::size_t last);

std::filesystem::path product_path(const Protocol& protocol, const std::filesystem::path& root,
                                   const std::string& product);

/// @throws Error(kNotFound) naming every product whose folder is not there.
void require_products(const Protocol& protocol, const std::filesystem::path& root);

}  // namespace uad
