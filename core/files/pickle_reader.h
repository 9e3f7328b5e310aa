// SPDX-License-Identifier: LGPL-2.1-or-later
// Pickles of PyTorch state dicts, read as data. Nothing is executed: the few functions such a
// pickle may name are acted out, any other name is refused.
//
// Source of the opcodes: Python's pickletools.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <c10/core/ScalarType.h>

namespace uad {

inline constexpr std::uint64_t kMaxPickleBytes = 8ULL << 20;

struct PickledStorage {
  std::string key;
  c10::ScalarType type = c10::ScalarType::Float;
  std::int64_t values = 0;
};

struct PickledTensor {
  const PickledStorage* storage = nullptr;
  std::int64_t offset = 0;  ///< in values, as the strides; nothing is checked yet
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

struct PickledValue;
using PickledItems = std::vector<const PickledValue*>;
struct PickledList {  ///< also tuples
  PickledItems items;
};
struct PickledDict {
  PickledItems keys;
  PickledItems values;
};
struct PickledName {  ///< a known function or class
  std::string name;
};

struct PickledValue {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, PickledList, PickledDict,
               PickledName, const PickledStorage*, PickledTensor>
      value;
};

/// Owns every value, so that values may refer to each other in circles.
struct Pickle {
  const PickledValue* root = nullptr;
  std::size_t bytes = 0;  ///< length of the pickle itself
  std::deque<PickledValue> values;
  std::map<std::string, PickledStorage> storages;  ///< by key
};

/// Reads one pickle from the start of `bytes`; more may follow.
/// @throws Error(kBadFile) naming the file, and the function or class it wants to run.
Pickle read_pickle(std::string_view bytes, const std::string& file_name);

}  // namespace uad
