// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/files/atomic_file.h"

#include <cerrno>
#include <random>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"

namespace uad {

namespace fs = std::filesystem;

AtomicFile::AtomicFile(const fs::path& target) : target_(target) {
  std::error_code ignored;
  if (fs::is_symlink(target, ignored)) {
    const fs::path pointee = fs::canonical(target, ignored);
    if (!ignored) target_ = pointee;
  }
  // A folder in the target's place would only be noticed by rename(), after all the work.
  if (fs::is_directory(target_, ignored)) fail(EISDIR);
  std::random_device random;
  do {
    temporary_ = target_.parent_path() /
                 fmt::format(".{}.{:08x}.tmp", target_.filename().string(), random());
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EEXIST);
  if (descriptor_ < 0) fail(errno);
  struct stat old {};
  if (::stat(target_.c_str(), &old) == 0) (void)::fchmod(descriptor_, old.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(descriptor_, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail(written < 0 ? errno : ENOSPC);
    next += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  ::close(descriptor_);
  descriptor_ = -1;
  // The new name lives in the folder. Some file systems cannot sync folders; the file is whole
  // all the same.
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  const int folder_descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_descriptor < 0) return;
  ::fsync(folder_descriptor);
  ::close(folder_descriptor);
}

void AtomicFile::fail(int reason) const {
  throw Error(ErrorCode::kFailed,
              fmt::format("File '{}' cannot be written: {}. What was there before is unchanged.",
                          target_.string(), std::generic_category().message(reason)));
}

void write_file(const fs::path& target, const void* bytes, std::size_t count) {
  AtomicFile file(target);
  file.write(bytes, count);
  file.commit();
}

}  // namespace uad
