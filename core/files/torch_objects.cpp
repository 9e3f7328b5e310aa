// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/torch_objects.h"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace uad {
namespace {

constexpr std::array<std::pair<std::string_view, c10::ScalarType>, 10> kStorages{
    {{"torch.FloatStorage", c10::ScalarType::Float},
     {"torch.HalfStorage", c10::ScalarType::Half},
     {"torch.BFloat16Storage", c10::ScalarType::BFloat16},
     {"torch.DoubleStorage", c10::ScalarType::Double},
     {"torch.LongStorage", c10::ScalarType::Long},
     {"torch.IntStorage", c10::ScalarType::Int},
     {"torch.ShortStorage", c10::ScalarType::Short},
     {"torch.CharStorage", c10::ScalarType::Char},
     {"torch.ByteStorage", c10::ScalarType::Byte},
     {"torch.BoolStorage", c10::ScalarType::Bool}}};
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";
constexpr const char* kDamaged = "its pickle is damaged";

std::optional<c10::ScalarType> storage_type(std::string_view name) {
  for (const auto& [known, type] : kStorages) {
    if (name == known) return type;
  }
  return std::nullopt;
}

std::vector<std::int64_t> numbers(const PickledValue* list, const std::string& file) {
  const PickledItems& items = pickled<PickledList>(list, file).items;
  if (items.size() > 16) refuse_pickle(file, "it holds a tensor of over 16 axes");
  std::vector<std::int64_t> found;
  for (const PickledValue* item : items) found.push_back(pickled<std::int64_t>(item, file));
  return found;
}

}  // namespace

void refuse_pickle(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("Weights file '{}' cannot be read: {}.", file, what));
}

const std::string& short_text(const PickledValue* value, const std::string& file) {
  const auto& found = pickled<std::string>(value, file);
  if (found.size() > 256) refuse_pickle(file, kDamaged);
  return found;
}

bool is_torch_object(std::string_view name) {
  return name == kRebuildTensor || name == kRebuildParameter || storage_type(name);
}

PickledStorage torch_storage(const PickledItems& id, const std::string& file) {
  if (id.size() < 5 || short_text(id[0], file) != "storage") refuse_pickle(file, kDamaged);
  if (id.size() > 5 && !std::holds_alternative<std::monostate>(id[5]->value)) {
    refuse_pickle(file,
                  "it holds views of storages, which only PyTorch before 0.4 wrote; save it again");
  }
  const auto type = storage_type(pickled<PickledName>(id[1], file).name);
  if (!type) refuse_pickle(file, kDamaged);
  return {short_text(id[2], file), *type, pickled<std::int64_t>(id[4], file)};
}

PickledTensor torch_tensor(std::string_view name, const PickledItems& arguments,
                           const std::string& file) {
  if (name == kRebuildParameter && !arguments.empty()) {
    return pickled<PickledTensor>(arguments[0], file);
  }
  // (storage, offset, shape, strides, requires_grad, hooks[, metadata])
  if (name != kRebuildTensor || arguments.size() < 4) refuse_pickle(file, kDamaged);
  return {pickled<const PickledStorage*>(arguments[0], file),
          pickled<std::int64_t>(arguments[1], file), numbers(arguments[2], file),
          numbers(arguments[3], file)};
}

}  // namespace uad
