// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells when a model file was replaced, from looking at it now and then.
#pragma once

#include "core/base/files/file_stamp.h"

namespace uad {

enum class FileNews { kNone, kReplaced, kVanished };

/// Believes what it sees when it has seen it twice in a row, so that a file which is being written
/// in place, or is away between two renames, is waited for. @note Not thread-safe.
class ModelWatcher {
 public:
  /// This is no news from now on: it is being loaded, or it is to be passed over.
  void settle_on(const FileStamp& known);

  /// One look. kReplaced is repeated until settle_on(); kVanished is told once a disappearance.
  [[nodiscard]] FileNews look(const FileStamp& found);

 private:
  FileStamp known_;
  FileStamp seen_;
  bool told_vanished_ = false;
};

}  // namespace uad
