// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/atomic_file.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/files/crc32.h"
#include "core/files/sha256.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_disk.h"

namespace {

using uad::AtomicFile;
using uad::ErrorCode;
using uad::test::expect_error;
using uad::test::read_bytes;
using uad::test::TempDir;
using uad::test::write_bytes;

TEST(AtomicFile, AppearsOnCommitAndNotBefore) {
  const TempDir dir;
  write_bytes(dir / "a", "old");
  AtomicFile file(dir / "a");
  file.write("new", 3);
  EXPECT_EQ(read_bytes(dir / "a"), "old");
  file.commit();
  EXPECT_EQ(read_bytes(dir / "a"), "new");
  EXPECT_EQ(dir.entries(), 1);
}

TEST(AtomicFile, WithoutCommitNothingRemains) {
  const TempDir dir;
  write_bytes(dir / "a", "old");
  { AtomicFile(dir / "a").write("new", 3); }
  EXPECT_EQ(read_bytes(dir / "a"), "old");
  EXPECT_EQ(dir.entries(), 1);
}

/// Limits the size of files, which fails a write as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    (void)std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(AtomicFile, FullDiskLeavesTheOldFileAndNamesTheReason) {
  const TempDir dir;
  write_bytes(dir / "a.uad", "old");
  const std::string large(100000, 'x');
  {
    const FileSizeLimit limit(4096);
    expect_error(ErrorCode::kFailed, {"a.uad", "File too large", "unchanged"},
                 [&] { uad::write_file(dir / "a.uad", large.data(), large.size()); });
  }
  EXPECT_EQ(read_bytes(dir / "a.uad"), "old");
  EXPECT_EQ(dir.entries(), 1);
}

TEST(AtomicFile, ReallyFullDiskLeavesTheOldFileWhole) {
  const uad::test::TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << disk.kWhyNot;
  write_bytes(disk / "a.uad", "old");
  disk.fill(64 << 10);
  const std::string large(200'000, 'x');
  expect_error(ErrorCode::kFailed,
               {(disk / "a.uad").string(), "No space left on device", "unchanged"},
               [&] { uad::write_file(disk / "a.uad", large.data(), large.size()); });
  EXPECT_EQ(read_bytes(disk / "a.uad"), "old");
  EXPECT_EQ(disk.entries(), 2) << "the old file and the filler";
  uad::write_file(disk / "a.uad", "small", 5);
  EXPECT_EQ(read_bytes(disk / "a.uad"), "small") << "the space of the failed attempt is free again";
}

TEST(AtomicFile, MissingFolderAndFolderAsTargetAreErrors) {
  const TempDir dir;
  expect_error(ErrorCode::kFailed, {"none/a", "No such file or directory"},
               [&] { AtomicFile file(dir / "none" / "a"); });
  expect_error(ErrorCode::kFailed, {"Is a directory"}, [&] { AtomicFile file(dir.path()); });
}

TEST(AtomicFile, LinkAndPermissionsSurvive) {
  const TempDir dir;
  write_bytes(dir / "real", "old");
  chmod((dir / "real").c_str(), 0640);
  std::filesystem::create_symlink("real", dir / "link");
  uad::write_file(dir / "link", "new", 3);
  EXPECT_TRUE(std::filesystem::is_symlink(dir / "link"));
  EXPECT_EQ(read_bytes(dir / "real"), "new");
  struct stat info {};
  ASSERT_EQ(stat((dir / "real").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640U);
}

TEST(Sha256, KnownAnswers) {  // FIPS 180-2, appendix B
  EXPECT_EQ(uad::sha256_of("abc", 3),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(uad::sha256_of("", 0),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(uad::Sha256().add("a", 1).add("bc", 2).hex(), uad::sha256_of("abc", 3));
}

TEST(Sha256, OfAFileLargerThanOneBlock) {
  const TempDir dir;
  const std::string bytes((1 << 20) + 7, 'q');
  write_bytes(dir / "a", bytes);
  EXPECT_EQ(uad::sha256_of_file(dir / "a"), uad::sha256_of(bytes.data(), bytes.size()));
}

TEST(Crc32, KnownAnswerInOnePieceAndTwo) {
  EXPECT_EQ(uad::crc32("123456789", 9), 0xCBF43926U);
  EXPECT_EQ(uad::crc32("6789", 4, uad::crc32("12345", 5)), 0xCBF43926U);
}

}  // namespace
