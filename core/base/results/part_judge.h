// SPDX-License-Identifier: LGPL-2.1-or-later
// From the verdicts of frames to one verdict per part.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/results/analysis.h"

namespace uad {

/// A part is REJECT once `bad` of `window` analysed frames in a row are bad, and WARN once as many
/// reach the warn threshold. 1 ≤ bad ≤ window.
struct KOfN {
  int bad = 1;
  int window = 1;
  bool operator==(const KOfN&) const = default;
};

/// "3/5". @throws Error(kBadOption) naming `option`.
KOfN parse_k_of_n(std::string_view text, std::string_view option);

struct VerdictRule {
  KOfN k_of_n;
  bool hysteresis = false;  ///< after a bad frame, frames stay bad until one is below warn
  /// So long after the frame that made a part REJECT the next parts are REJECT, too, and so long do
  /// frames count in the next part's window. 0 = each part by itself.
  std::chrono::milliseconds hold{0};
  std::chrono::milliseconds max_gap{1000};  ///< a longer time without a result is not inspected
  bool operator==(const VerdictRule&) const = default;
};

/// What became of one part.
struct PartVerdict {
  std::uint64_t part = 0;  ///< counted since the stream began, from 0
  std::string id;          ///< as whoever announced the part called it
  Verdict verdict = Verdict::kUnscored;
  std::uint64_t first_pts = kNoTime;
  std::uint64_t last_pts = kNoTime;
  std::uint64_t frames = 0;
  std::uint64_t analysed = 0;  ///< of these, with a finite score
  std::uint64_t bad = 0;       ///< of these
  AnalysisPtr worst;           ///< highest score; null = none was analysed
  std::string why;             ///< of the verdict, in words; "" for PASS
};

/// The place in the frame that a result points at.
struct WorstPlace {
  Rect box;           ///< the strongest region's, else the map's strongest pixel
  double peak_x = 0;  ///< centre of the strongest map pixel in `box`, frame pixels
  double peak_y = 0;
};
/// @return nullopt if the analysis has no map, or one without a number.
std::optional<WorstPlace> worst_place(const Analysis& analysis);

/// Fed with the frames of a stream in their order, with the results that may come later, and with
/// where parts begin and end. A part is given out once no result of its frames can come any more,
/// parts in their order. It fails safe: what was not inspected is UNSCORED, and an UNSCORED part
/// stays so unless it is REJECT. @note Not thread-safe.
class PartJudge {
 public:
  explicit PartJudge(const VerdictRule& rule = {}) : rule_(rule) {}

  /// Holds from the next result on.
  void set(const VerdictRule& rule) { rule_ = rule; }

  /// The next frame is the first of a part; one that is open ends.
  /// @param at  when the part began, where that is known; it counts if it is before the first
  /// frame.
  /// @param skipped  so many parts passed unseen before it; their numbers are left out.
  void begin(std::string id = {}, const std::optional<Capture>& at = std::nullopt,
             std::uint64_t skipped = 0);
  /// @param at  when the part ended, where that is known; it counts if it is after the last frame.
  void end(const std::optional<Capture>& at = std::nullopt);
  /// Parts that have begun, with those that passed unseen.
  [[nodiscard]] std::uint64_t begun() const noexcept { return next_part_; }
  [[nodiscard]] bool open() const { return !parts_.empty() && !parts_.back().ended; }

  /// It belongs to the open part, or to none. @param awaited  its result may come.
  void frame(const Capture& capture, bool awaited);
  /// Results come in the order of frames; one that is not awaited is ignored.
  void result(const AnalysisPtr& analysis);
  /// Results that are not there yet never come. A part that is open and has frames ends, and its
  /// frames count for none that follows.
  /// @param torn  frames are missing, so it does not pass.
  void abandon(bool torn);

  /// The parts that are judged by now, each once.
  [[nodiscard]] std::vector<PartVerdict> take();
  /// As new, with the same rule.
  void reset();

 private:
  struct Part {
    PartVerdict verdict;
    Capture first, last;
    std::optional<Capture> begun;   ///< where it is known
    Capture end;                    ///< of the part: its last frame, or later
    Capture seen;                   ///< the last frame with a result, else the part's beginning
    std::uint64_t longest_gap = 0;  ///< nanoseconds without a result
    std::optional<Capture> fired;   ///< the last frame at which the rule rejected
    bool warned = false;
    bool torn = false;
    bool ended = false;
  };
  /// One analysed frame that still counts.
  struct Recent {
    std::uint64_t part;
    Capture capture;
    bool bad;
    bool warned;
  };

  /// The last part that was rejected for its own frames.
  struct Fired {
    std::uint64_t part;
    Capture at;
  };

  void count(Part& part, const AnalysisPtr& analysis);
  void judge_complete();
  [[nodiscard]] bool complete(const Part& part) const;
  [[nodiscard]] PartVerdict judge(Part part);
  /// Why it may not pass, or "".
  [[nodiscard]] std::string missing(const Part& part) const;

  VerdictRule rule_;
  std::uint64_t next_part_ = 0;
  std::deque<Part> parts_;             // not judged yet; all but the last have ended
  std::vector<PartVerdict> done_;      // not given out yet
  std::deque<std::uint64_t> awaited_;  // frames
  std::deque<Recent> window_;
  std::optional<Fired> fired_;  // of the parts judged
};

}  // namespace uad
