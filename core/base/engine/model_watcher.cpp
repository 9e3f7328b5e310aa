// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/base/engine/model_watcher.h"

#include <utility>

namespace uad {

void ModelWatcher::settle_on(const FileStamp& known) {
  known_ = seen_ = known;
  told_vanished_ = false;
}

FileNews ModelWatcher::look(const FileStamp& found) {
  const bool at_rest = found == std::exchange(seen_, found);
  if (found == known_) {
    told_vanished_ = false;
    return FileNews::kNone;
  }
  if (!at_rest) return FileNews::kNone;
  if (found.bytes >= 0) return FileNews::kReplaced;
  return std::exchange(told_vanished_, true) ? FileNews::kNone : FileNews::kVanished;
}

}  // namespace uad
