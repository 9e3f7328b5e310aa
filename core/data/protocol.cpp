// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/data/protocol.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.h"
#include "core/base/option_spec.h"
#include "core/data/image_folder.h"

namespace uad {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

[[noreturn]] void refuse(const std::string& source, const std::string& why) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("\"{}\" is no protocol: {}. It takes \"name\", \"dataset\", \"tasks: "
                          "[[product, ...], ...]\" and \"paths: {{product: path}}\".",
                          source, why));
}

/// The first `base` products, then tasks of `step` products each.
Protocol stepwise(const char* dataset, const std::vector<std::string>& products, std::size_t base,
                  std::size_t step) {
  Protocol protocol{fmt::format("{}-{}-{}", dataset, base, step), dataset, {}};
  for (std::size_t first = 0; first < products.size();) {
    const std::size_t count = std::min(first == 0 ? base : step, products.size() - first);
    const auto begin = products.begin() + static_cast<std::ptrdiff_t>(first);
    protocol.tasks.push_back({{begin, begin + static_cast<std::ptrdiff_t>(count)}});
    first += count;
  }
  return protocol;
}

/// "10-1" of "MVTec-10-1x5", "mvtec-10-1".
std::string short_form(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string set : {"mvtec-", "visa-"}) {
    if (name.starts_with(set)) name.erase(0, set.size());
  }
  return name.substr(0, name.find('x'));
}

bool goes_by(const Protocol& protocol, const std::string& name) {
  const std::string form = short_form(protocol.name);
  const std::size_t steps = protocol.tasks.size() - 1;
  for (const std::string& prefix : {std::string(), protocol.dataset + "-"}) {
    if (name == prefix + form || name == fmt::format("{}{}x{}", prefix, form, steps)) return true;
  }
  return false;
}

void check_keys(const json& object, const std::vector<std::string>& known,
                const std::string& source) {
  for (const auto& [key, value] : object.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string near = nearest_name(key, known);
    refuse(source, fmt::format("key \"{}\" is not known{}", key,
                               near.empty() ? "" : fmt::format(", did you mean \"{}\"?", near)));
  }
}

std::vector<std::string> parse_products(const json& list, std::size_t task,
                                        const std::string& source) {
  if (!list.is_array() || list.empty()) {
    refuse(source, fmt::format("task {} names no product", task));
  }
  std::vector<std::string> products;
  for (const json& name : list) {
    if (!name.is_string() || name.get_ref<const std::string&>().empty()) {
      refuse(source, fmt::format("task {} has a product without a name", task));
    }
    products.push_back(name);
  }
  return products;
}

ProtocolTask parse_task(const json& entry, std::size_t task, const std::string& source) {
  if (!entry.is_object()) return {parse_products(entry, task, source)};
  check_keys(entry, {"products", "options"}, source);
  ProtocolTask parsed{parse_products(entry.value("products", json()), task, source)};
  const json options = entry.value("options", json());
  for (auto [key, value] : options.items()) {
    std::string name = key;
    std::ranges::replace(name, '-', '_');
    if (options.is_object()) parsed.options[name] = value;
  }
  if (!options.is_object() && !options.is_null()) {
    refuse(source, fmt::format("the options of task {} are no \"key: value\" pairs", task));
  }
  return parsed;
}

void refuse_repeated(const Protocol& protocol, const std::string& source) {
  std::map<std::string, std::size_t> known;
  for (std::size_t task = 0; task < protocol.tasks.size(); ++task) {
    for (const std::string& product : protocol.tasks[task].products) {
      const auto [first, added] = known.emplace(product, task);
      if (added) continue;
      refuse(source, first->second == task
                         ? fmt::format("task {} names product \"{}\" twice", task, product)
                         : fmt::format("product \"{}\" is in task {} and in task {}", product,
                                       first->second, task));
    }
  }
  for (const auto& [product, path] : protocol.paths) {
    if (known.contains(product)) continue;
    refuse(source, fmt::format("\"paths\" names \"{}\", which no task learns", product));
  }
}

std::string text_of(const json& object, const char* key, const std::string& otherwise,
                    const std::string& source) {
  const json value = object.value(key, json(otherwise));
  if (!value.is_string()) refuse(source, fmt::format("\"{}\" must be a text", key));
  return value;
}

}  // namespace

const std::vector<std::string>& mvtec_products() {
  static const std::vector<std::string> kProducts{
      "bottle", "cable", "capsule", "carpet",     "grid",       "hazelnut", "leather", "metal_nut",
      "pill",   "screw", "tile",    "toothbrush", "transistor", "wood",     "zipper"};
  return kProducts;
}

const std::vector<std::string>& visa_products() {
  static const std::vector<std::string> kProducts{"candle", "capsules",  "cashew",    "chewinggum",
                                                  "fryum",  "macaroni1", "macaroni2", "pcb1",
                                                  "pcb2",   "pcb3",      "pcb4",      "pipe_fryum"};
  return kProducts;
}

const std::vector<Protocol>& known_protocols() {
  static const std::vector<Protocol> kProtocols{
      stepwise("mvtec", mvtec_products(), 14, 1), stepwise("mvtec", mvtec_products(), 10, 5),
      stepwise("mvtec", mvtec_products(), 3, 3),  stepwise("mvtec", mvtec_products(), 10, 1),
      stepwise("visa", visa_products(), 11, 1),   stepwise("visa", visa_products(), 8, 4),
      stepwise("visa", visa_products(), 8, 1)};
  return kProtocols;
}

const Protocol& find_protocol(const std::string& name) {
  std::string wanted = name;
  std::ranges::transform(wanted, wanted.begin(), [](unsigned char c) { return std::tolower(c); });
  std::vector<std::string> known;
  std::vector<std::string> spellings;
  for (const Protocol& protocol : known_protocols()) {
    if (goes_by(protocol, wanted)) return protocol;
    known.push_back(short_form(protocol.name));
    spellings.push_back(protocol.name);
  }
  const std::string near = nearest_name(name, name.size() > 6 ? spellings : known);
  throw Error(ErrorCode::kBadOption,
              fmt::format("Protocol \"{}\" is not known.{} Known are {}; any other is a YAML file.",
                          name, near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near),
                          fmt::join(known, ", ")));
}

Protocol parse_protocol(const json& text, const std::string& source) {
  if (!text.is_object()) refuse(source, "it is no list of \"key: value\"");
  check_keys(text, {"name", "dataset", "tasks", "paths"}, source);
  Protocol protocol;
  protocol.name = text_of(text, "name", fs::path(source).stem().string(), source);
  protocol.dataset = text_of(text, "dataset", "", source);
  const json tasks = text.value("tasks", json());
  if (!tasks.is_array() || tasks.empty()) refuse(source, "it has no \"tasks\"");
  for (const json& task : tasks) {
    protocol.tasks.push_back(parse_task(task, protocol.tasks.size(), source));
  }
  const json paths = text.value("paths", json::object());
  if (!paths.is_object()) refuse(source, "\"paths\" must name a path for each product");
  for (const auto& [product, path] : paths.items()) {
    protocol.paths[product] = text_of(paths, product.c_str(), "", source);
  }
  refuse_repeated(protocol, source);
  return protocol;
}

json to_json(const Protocol& protocol) {
  json tasks = json::array();
  for (const ProtocolTask& task : protocol.tasks) {
    if (task.options.empty()) {
      tasks.push_back(task.products);
    } else {
      tasks.push_back({{"products", task.products}, {"options", task.options}});
    }
  }
  json text{{"name", protocol.name}, {"dataset", protocol.dataset}, {"tasks", tasks}};
  for (const auto& [product, path] : protocol.paths) text["paths"][product] = path.string();
  return text;
}

std::vector<std::string> products_up_to(const Protocol& protocol, std::size_t last) {
  std::vector<std::string> products;
  for (std::size_t task = 0; task <= last; ++task) {
    const std::vector<std::string>& own = protocol.tasks.at(task).products;
    products.insert(products.end(), own.begin(), own.end());
  }
  return products;
}

fs::path product_path(const Protocol& protocol, const fs::path& root, const std::string& product) {
  const auto path = protocol.paths.find(product);
  return path == protocol.paths.end() ? root / product : root / path->second;
}

void require_products(const Protocol& protocol, const fs::path& root) {
  std::vector<std::string> absent;
  for (const std::string& product : products_up_to(protocol, protocol.tasks.size() - 1)) {
    const fs::path path = product_path(protocol, root, product);
    if (!is_there(path)) absent.push_back(path.string());
  }
  if (absent.empty()) return;
  throw Error(
      ErrorCode::kNotFound,
      fmt::format("Protocol {} needs {}, which {} not there. Check --data, or name the "
                  "folders under \"paths\" of a protocol file.",
                  protocol.name, fmt::join(absent, ", "), absent.size() == 1 ? "is" : "are"));
}

}  // namespace uad
