// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/safetensors.h"

#include <algorithm>
#include <array>
#include <vector>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/manifest.h"
#include "core/base/files/safetensors_header.h"
#include "core/files/atomic_file.h"
#include "core/files/sha256.h"

namespace uad {
namespace {

struct TypeName {
  const char* name;
  at::ScalarType type;
};
constexpr std::array<TypeName, 10> kTypes{{{"F64", at::kDouble},
                                           {"F32", at::kFloat},
                                           {"F16", at::kHalf},
                                           {"BF16", at::kBFloat16},
                                           {"I64", at::kLong},
                                           {"I32", at::kInt},
                                           {"I16", at::kShort},
                                           {"I8", at::kChar},
                                           {"U8", at::kByte},
                                           {"BOOL", at::kBool}}};

at::ScalarType scalar_type(const std::string& name) {
  const auto* found = std::find_if(kTypes.begin(), kTypes.end(),
                                   [&](const TypeName& type) { return name == type.name; });
  return found->type;  // parse_header() lets no other name through
}

std::string type_name(const std::string& tensor, at::ScalarType wanted) {
  for (const auto& [name, type] : kTypes) {
    if (type == wanted) return name;
  }
  throw Error(ErrorCode::kFailed, fmt::format("Tensor '{}' has the type {}, which a safetensors "
                                              "file cannot hold.",
                                              tensor, at::toString(wanted)));
}

std::array<unsigned char, 8> little_endian(std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(value & 0xFF);
    value >>= 8;
  }
  return bytes;
}

/// Reads tensor after tensor in the order of their bytes, hashing on the way.
class DataReader {
 public:
  DataReader(InputFile& file, Sha256& sha, std::uint64_t data_bytes,
             const std::function<void(double)>& on_progress)
      : file_(file), sha_(sha), total_(data_bytes), on_progress_(on_progress) {}

  at::Tensor read(const TensorEntry& entry) {
    at::Tensor tensor = at::empty(entry.shape, scalar_type(entry.type));
    char* next = static_cast<char*>(tensor.mutable_data_ptr());
    for (std::uint64_t left = entry.end - entry.begin; left > 0;) {
      const std::uint64_t count = std::min<std::uint64_t>(left, 4 << 20);
      file_.read(next, count);
      sha_.add(next, count);
      next += count;
      left -= count;
      done_ += count;
      if (on_progress_) on_progress_(static_cast<double>(done_) / static_cast<double>(total_));
    }
    // A byte that is neither 0 nor 1 is no bool to the compiler.
    if (tensor.scalar_type() == at::kBool) tensor = tensor.view(at::kByte).ne(0);
    return tensor;
  }

 private:
  InputFile& file_;
  Sha256& sha_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;
  const std::function<void(double)>& on_progress_;
};

/// Wide types first, as the format's own writer does: every tensor then lies aligned.
std::vector<std::pair<std::string, at::Tensor>> in_file_order(const TensorMap& tensors) {
  std::vector<std::pair<std::string, at::Tensor>> ordered;
  for (const auto& [name, tensor] : tensors) {
    ordered.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  return ordered;
}

}  // namespace

Safetensors read_safetensors(const std::filesystem::path& path,
                             const std::function<void(double)>& on_progress) {
  InputFile file(path);
  const std::string text = read_header_text(file);
  const std::uint64_t data_bytes = file.bytes() - 8 - text.size();
  SafetensorsHeader header = parse_header(text, data_bytes, file.name());
  Sha256 sha;
  sha.add(little_endian(text.size()).data(), 8).add(text.data(), text.size());
  DataReader reader(file, sha, data_bytes, on_progress);
  Safetensors result;
  for (const TensorEntry& entry : header.tensors) {
    result.tensors.emplace(entry.name, reader.read(entry));
  }
  result.metadata = std::move(header.metadata);
  result.sha256 = sha.hex();
  return result;
}

std::string write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata) {
  const auto ordered = in_file_order(tensors);
  nlohmann::json header = nlohmann::json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : ordered) {
    const std::uint64_t end = offset + tensor.nbytes();
    header[name] = {{"dtype", type_name(name, tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kMaxManifestBytes) {
    throw Error(ErrorCode::kFailed,
                fmt::format("File '{}' was not written: its header of {} bytes exceeds {}.",
                            path.string(), text.size(), kMaxManifestBytes));
  }
  AtomicFile file(path);
  Sha256 sha;
  const auto put = [&](const void* bytes, std::size_t count) {
    file.write(bytes, count);
    sha.add(bytes, count);
  };
  put(little_endian(text.size()).data(), 8);
  put(text.data(), text.size());
  for (const auto& [name, tensor] : ordered) put(tensor.const_data_ptr(), tensor.nbytes());
  file.commit();
  return sha.hex();
}

}  // namespace uad
