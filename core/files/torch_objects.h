// SPDX-License-Identifier: LGPL-2.1-or-later
// What PyTorch's own names in a pickle stand for, made of the pickle's values; nothing is run.
//
// Source of the names: torch/_utils.py and torch/serialization.py.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/files/pickle_reader.h"

namespace uad {

[[noreturn]] void refuse_pickle(const std::string& file, const std::string& what);

/// @throws Error(kBadFile) if the value is of another kind.
template <class T>
const T& pickled(const PickledValue* value, const std::string& file) {
  const T* found = std::get_if<T>(&value->value);
  if (found == nullptr) refuse_pickle(file, "its pickle is damaged");
  return *found;
}

/// A name or key; a long one, recalled again and again, would cost more time than its bytes.
const std::string& short_text(const PickledValue* value, const std::string& file);

/// Whether a state dict may name this function or class of PyTorch.
bool is_torch_object(std::string_view name);

/// Of a persistent id: ("storage", type, key, device, values), in old files with a view of another
/// storage behind. @throws Error(kBadFile)
PickledStorage torch_storage(const PickledItems& id, const std::string& file);

/// What the function `name`, one of is_torch_object(), makes of its arguments.
/// @throws Error(kBadFile) if it makes no tensor.
PickledTensor torch_tensor(std::string_view name, const PickledItems& arguments,
                           const std::string& file);

}  // namespace uad
