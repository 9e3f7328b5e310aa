// SPDX-License-Identifier: LGPL-2.1-or-later
// SHA-256 of bytes that arrive piece by piece.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include <openssl/evp.h>

namespace uad {

/// @note One thread.
class Sha256 {
 public:
  Sha256();
  Sha256& add(const void* bytes, std::size_t count);
  /// 64 lower-case hex digits; nothing may be added afterwards.
  [[nodiscard]] std::string hex();

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

std::string sha256_of(const void* bytes, std::size_t count);
/// @throws Error(kNotFound, kBadFile).
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace uad
