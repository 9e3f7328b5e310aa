// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/sha256.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files/input_file.h"

namespace uad {
namespace {

void demand(bool done) {
  if (!done) throw Error(ErrorCode::kFailed, "SHA-256 is not available in this OpenSSL.");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  demand(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

Sha256& Sha256::add(const void* bytes, std::size_t count) {
  demand(EVP_DigestUpdate(context_.get(), bytes, count) == 1);
  return *this;
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> digest{};
  demand(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string sha256_of(const void* bytes, std::size_t count) {
  return Sha256().add(bytes, count).hex();
}

std::string sha256_of_file(const std::filesystem::path& path) {
  InputFile file(path);
  Sha256 sha;
  std::vector<char> block(1 << 20);
  for (std::uint64_t left = file.bytes(); left > 0;) {
    const std::size_t count = std::min<std::uint64_t>(left, block.size());
    file.read(block.data(), count);
    sha.add(block.data(), count);
    left -= count;
  }
  return sha.hex();
}

}  // namespace uad
