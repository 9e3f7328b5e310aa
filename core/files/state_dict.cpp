// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/state_dict.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"
#include "core/files/byte_cursor.h"
#include "core/files/pickle_reader.h"
#include "core/files/safetensors.h"
#include "core/files/zip_reader.h"

namespace uad {
namespace {

constexpr std::string_view kZipStart = "PK\3\4";
// PyTorch's older form begins with a pickle of the number 0x1950a86a20f9469cfc6c.
constexpr std::string_view kOldStart("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e",
                                     15);
// Under these names training scripts keep the weights beside their other state.
constexpr std::array<std::string_view, 4> kUsualNames{"state_dict", "model_state_dict", "model",
                                                      "net"};

using NamedTensors = std::map<std::string, const PickledTensor*>;
using StorageMap = std::map<std::string, at::Tensor>;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kBadFile,
              fmt::format("Weights file '{}' cannot be used: {}.", file, what));
}

NamedTensors tensors_of(const PickledDict& dict) {
  NamedTensors found;
  for (std::size_t i = 0; i < dict.keys.size(); ++i) {
    const auto* name = std::get_if<std::string>(&dict.keys[i]->value);
    const auto* tensor = std::get_if<PickledTensor>(&dict.values[i]->value);
    if (name != nullptr && tensor != nullptr) found[*name] = tensor;
  }
  return found;
}

/// The state dict itself, or the one inside a training script's dictionary.
NamedTensors find_state_dict(const PickledValue& root, const std::string& file) {
  const auto* dict = std::get_if<PickledDict>(&root.value);
  if (dict == nullptr) refuse(file, "it holds no dictionary of tensors; save model.state_dict()");
  std::map<std::string, NamedTensors> nested;
  for (std::size_t i = 0; i < dict->keys.size(); ++i) {
    const auto* name = std::get_if<std::string>(&dict->keys[i]->value);
    const auto* inner = std::get_if<PickledDict>(&dict->values[i]->value);
    if (name == nullptr || inner == nullptr) continue;
    NamedTensors tensors = tensors_of(*inner);
    if (!tensors.empty()) nested[*name] = std::move(tensors);
  }
  for (const std::string_view usual : kUsualNames) {
    const auto found = nested.find(std::string(usual));
    if (found != nested.end()) return found->second;
  }
  NamedTensors own = tensors_of(*dict);
  if (!own.empty()) return own;
  if (nested.size() == 1) return nested.begin()->second;
  std::string names;
  for (const auto& [name, tensors] : nested) names += (names.empty() ? "" : ", ") + name;
  if (nested.empty()) refuse(file, "it holds no tensors; save model.state_dict()");
  refuse(file, fmt::format("it holds several state dicts ({}); save the one that is meant", names));
}

at::Tensor empty_storage(const PickledStorage& storage, std::uint64_t available_bytes,
                         const std::string& file) {
  const std::uint64_t size = at::elementSize(storage.type);
  if (storage.values < 0 || static_cast<std::uint64_t>(storage.values) > available_bytes / size) {
    refuse(file,
           fmt::format("its storage '{}' is cut short; copy or download it again", storage.key));
  }
  return at::empty({storage.values}, storage.type);
}

/// A byte that is neither 0 nor 1 is no bool to the compiler.
at::Tensor with_clean_bools(at::Tensor storage) {
  return storage.scalar_type() == at::kBool ? storage.view(at::kByte).ne(0) : storage;
}

/// Turns descriptions into tensors. What is packed shares its storage; the rest is copied.
class TensorBuilder {
 public:
  TensorBuilder(const StorageMap& storages, std::uint64_t copy_budget, const std::string& file)
      : storages_(storages), budget_(copy_budget), file_(file) {}

  at::Tensor build(const std::string& name, const PickledTensor& tensor) {
    const at::Tensor& storage = storages_.at(tensor.storage->key);
    if (!fits(tensor, storage.numel())) {
      refuse(file_, fmt::format("tensor '{}' does not lie inside its storage", name));
    }
    if (is_empty(tensor)) return at::empty(tensor.shape, storage.scalar_type());
    const at::Tensor seen = at::as_strided(storage, tensor.shape, tensor.strides, tensor.offset);
    if (seen.is_contiguous()) return seen;
    if (seen.nbytes() > budget_) refuse(file_, "its tensors take more room than the file");
    budget_ -= seen.nbytes();
    return seen.contiguous();
  }

 private:
  static bool is_empty(const PickledTensor& tensor) {
    return std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end();
  }

  /// Every index inside [0, values), and no more elements than values, whatever the numbers are.
  static bool fits(const PickledTensor& tensor, std::int64_t values) {
    if (tensor.shape.size() != tensor.strides.size() || tensor.offset < 0) return false;
    const bool empty = is_empty(tensor);
    const std::int64_t limit = empty ? std::int64_t{1} << 40 : values;
    std::int64_t elements = 1;
    std::int64_t last = tensor.offset;
    if (!empty && last >= values) return false;
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      const std::int64_t side = tensor.shape[i];
      const std::int64_t stride = tensor.strides[i];
      if (side < 0 || stride < 0 || elements > limit / std::max<std::int64_t>(side, 1))
        return false;
      elements *= std::max<std::int64_t>(side, 1);
      if (empty || side == 1) continue;
      if (stride > (values - 1 - last) / (side - 1)) return false;
      last += stride * (side - 1);
    }
    return true;
  }

  const StorageMap& storages_;
  std::uint64_t budget_;
  const std::string& file_;
};

TensorMap build_all(const NamedTensors& wanted, const StorageMap& storages,
                    std::uint64_t file_bytes, const std::string& file) {
  TensorBuilder builder(storages, 2 * file_bytes, file);
  TensorMap result;
  for (const auto& [name, tensor] : wanted) result.emplace(name, builder.build(name, *tensor));
  return result;
}

// The zip form: NAME/data.pkl describes, NAME/data/KEY holds one storage each.

std::string read_text(ZipReader& zip, const ZipEntry& entry, std::uint64_t limit) {
  if (entry.bytes > limit) refuse(zip.name(), "its description is too large");
  std::string text(entry.bytes, '\0');
  zip.read(entry, text.data());
  return text;
}

std::string archive_prefix(const ZipReader& zip) {
  constexpr std::string_view kPickle = "data.pkl";
  for (const auto& [name, entry] : zip.entries()) {
    if (name == kPickle || name.ends_with("/data.pkl")) {
      return name.substr(0, name.size() - kPickle.size());
    }
  }
  refuse(zip.name(), "it is a zip archive but not one of PyTorch (no data.pkl)");
}

TensorMap load_zip_form(const std::filesystem::path& path) {
  ZipReader zip(path);
  const auto& entries = zip.entries();
  const std::string prefix = archive_prefix(zip);
  const auto order = entries.find(prefix + "byteorder");
  if (order != entries.end() && read_text(zip, order->second, 16) != "little") {
    refuse(zip.name(), "it was written on a big-endian machine; save it again on this kind");
  }
  const std::string text = read_text(zip, entries.at(prefix + "data.pkl"), kMaxPickleBytes);
  const Pickle pickle = read_pickle(text, zip.name());
  const NamedTensors wanted = find_state_dict(*pickle.root, zip.name());
  StorageMap storages;
  for (const auto& [name, tensor] : wanted) {
    const PickledStorage& storage = *tensor->storage;
    if (storages.contains(storage.key)) continue;
    const auto entry = entries.find(prefix + "data/" + storage.key);
    if (entry == entries.end()) {
      refuse(zip.name(), fmt::format("the data of tensor '{}' are missing", name));
    }
    at::Tensor values = empty_storage(storage, entry->second.bytes, zip.name());
    if (values.nbytes() != entry->second.bytes) {
      refuse(zip.name(), fmt::format("the data of tensor '{}' have another size", name));
    }
    zip.read(entry->second, values.mutable_data_ptr());
    storages.emplace(storage.key, with_clean_bools(std::move(values)));
  }
  return build_all(wanted, storages, zip.file_bytes(), zip.name());
}

// The older form: pickles of a magic number, a version, the machine, the object and the storages'
// keys, then each storage as a count and its values.

bool is_big_endian(const PickledValue& machine) {
  const auto* facts = std::get_if<PickledDict>(&machine.value);
  for (std::size_t i = 0; facts != nullptr && i < facts->keys.size(); ++i) {
    const auto* key = std::get_if<std::string>(&facts->keys[i]->value);
    const auto* value = std::get_if<bool>(&facts->values[i]->value);
    if (key != nullptr && *key == "little_endian" && value != nullptr) return !*value;
  }
  return false;
}

std::vector<std::string> texts_of(const PickledValue& list, const std::string& file) {
  std::vector<std::string> texts;
  if (const auto* items = std::get_if<PickledList>(&list.value)) {
    for (const PickledValue* item : items->items) {
      if (const auto* text = std::get_if<std::string>(&item->value)) texts.push_back(*text);
    }
    if (texts.size() == items->items.size()) return texts;
  }
  refuse(file, "its list of storages is damaged; copy or download it again");
}

StorageMap read_old_storages(InputFile& file, const Pickle& object,
                             const std::vector<std::string>& keys, std::uint64_t offset) {
  file.seek(offset);
  StorageMap storages;
  for (const std::string& key : keys) {
    const auto described = object.storages.find(key);
    if (described == object.storages.end()) {
      refuse(file.name(), fmt::format("its storage '{}' is not described", key));
    }
    std::int64_t values = 0;
    file.read(&values, sizeof values);
    offset += sizeof values;
    if (values != described->second.values || storages.contains(key)) {
      refuse(file.name(), fmt::format("its storage '{}' has another size than described", key));
    }
    at::Tensor storage = empty_storage(described->second, file.bytes() - offset, file.name());
    file.read(storage.mutable_data_ptr(), storage.nbytes());
    offset += storage.nbytes();
    storages.emplace(key, with_clean_bools(std::move(storage)));
  }
  return storages;
}

TensorMap load_old_form(const std::filesystem::path& path) {
  InputFile file(path);
  std::string head(std::min(file.bytes(), kMaxPickleBytes), '\0');
  file.read(head.data(), head.size());
  std::size_t at = kOldStart.size();
  const auto next_pickle = [&] {
    Pickle pickle = read_pickle(std::string_view(head).substr(at), file.name());
    at += pickle.bytes;
    return pickle;
  };
  (void)next_pickle();  // protocol version, 1001 in all files
  if (is_big_endian(*next_pickle().root)) {
    refuse(file.name(), "it was written on a big-endian machine; save it again on this kind");
  }
  const Pickle object = next_pickle();
  const std::vector<std::string> keys = texts_of(*next_pickle().root, file.name());
  const NamedTensors wanted = find_state_dict(*object.root, file.name());
  const StorageMap storages = read_old_storages(file, object, keys, at);
  for (const auto& [name, tensor] : wanted) {
    if (!storages.contains(tensor->storage->key)) {
      refuse(file.name(), fmt::format("the data of tensor '{}' are missing", name));
    }
  }
  return build_all(wanted, storages, file.bytes(), file.name());
}

}  // namespace

TensorMap load_state_dict(const std::filesystem::path& path) {
  InputFile file(path);
  std::string start(std::min<std::uint64_t>(file.bytes(), kOldStart.size()), '\0');
  file.read(start.data(), start.size());
  if (start.starts_with(kZipStart)) return load_zip_form(path);
  if (start == kOldStart) return load_old_form(path);
  if (start.size() > 8 && start[8] == '{') return read_safetensors(path).tensors;
  refuse(file.name(),
         "it is neither a safetensors file nor one of PyTorch (zip form or the older "
         "form)");
}

}  // namespace uad
