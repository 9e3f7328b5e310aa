// SPDX-License-Identifier: LGPL-2.1-or-later
#include "tools/protocol_file.h"

#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"
#include "tools/arguments.h"

namespace uad::tools {
namespace {

using test::TempDir;
using test::write_bytes;
using ::testing::HasSubstr;

/// Whether the bytes are a protocol; if not, the error names the file.
bool is_protocol(const std::filesystem::path& file, const std::string& bytes) {
  write_bytes(file, bytes);
  try {
    const Protocol protocol = read_protocol(file.string());
    EXPECT_FALSE(protocol.tasks.empty());
    for (const ProtocolTask& task : protocol.tasks) EXPECT_FALSE(task.products.empty());
    return true;
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("damaged.yaml"));
    return false;
  }
}

// Every truncation and many seeded byte flips of a small file.
TEST(ProtocolFile, DamagedOnesNeverCrash) {
  const TempDir folder;
  const std::filesystem::path file = folder / "damaged.yaml";
  const std::string good =
      "name: two\ndataset: drawn\ntasks:\n- [plate, negative]\n"
      "- {products: [turned], options: {epochs: 20}}\npaths: {turned: ../elsewhere/turned}\n";
  ASSERT_TRUE(is_protocol(file, good));
  int errors = 0;
  for (std::size_t length = 0; length < good.size(); ++length) {
    errors += is_protocol(file, good.substr(0, length)) ? 0 : 1;
  }
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    const auto count = 1 + random() % 4;
    for (unsigned n = 0; n < count; ++n) {
      bad[random() % bad.size()] = static_cast<char>(random() % 256);
    }
    errors += is_protocol(file, bad) ? 0 : 1;
  }
  EXPECT_GT(errors, 1000);
}

TEST(ProtocolFile, EntriesNestedWithoutEndAndAliasesOfAliasesAreRefused) {
  const TempDir folder;
  const std::filesystem::path file = folder / "damaged.yaml";
  EXPECT_FALSE(is_protocol(file, "tasks: " + std::string(2000, '[')));
  EXPECT_FALSE(is_protocol(file, "tasks: " + std::string(200, '[') + std::string(200, ']')));
  std::string aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    aliases +=
        fmt::format("a{0}: &a{0} [*a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}, *a{1}]\n", i, i - 1);
  }
  EXPECT_FALSE(is_protocol(file, aliases + "tasks: *a8\n"));
}

}  // namespace
}  // namespace uad::tools
