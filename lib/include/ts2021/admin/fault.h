// SPDX-License-Identifier: BSD-3-Clause
// Faults on demand: the rules of a script, and which of them fires when something happens (lib/FAULTS.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts2021/base/time.h"
#include "ts2021/key/key.h"

namespace ts2021::admin {

// Layer and word of the script, in its order; fault_kinds() tells of each.
enum class Fault : std::uint8_t {
  tcp_split,
  tcp_stall,
  tcp_half_close,
  tcp_reset,
  http_status,
  http_redirect,
  http_strip_upgrade,
  http_wrong_key,
  noise_wrong_key,
  noise_error_record,
  noise_corrupt,
  noise_truncate,
  noise_reorder,
  early_none,
  early_garbage,
  early_lying_length,
  early_oversized,
  http2_goaway,
  http2_reset,
  http2_zero_window,
  http2_flood,
  map_length_long,
  map_length_short,
  map_length_zero,
  map_bad_zstd,
  map_truncated_json,
  api_delay,
  api_hold,
  api_drop,
  api_status,
  api_stale,
  api_contradiction,
  api_stall,
};

// What is counted.
enum class FaultEvent : std::uint8_t {
  connection,        // of anybody: accepted; of one node: its initiation has opened
  outer_answer,      // HTTP/1.1, of one path; a node is known at /ts2021 only
  handshake,         // message 2
  record,            // to the node
  answer,            // a head of HTTP/2 to the node
  frame,             // a map message; keep-alives are not counted
  later_frame,       // the same, but not the first of its stream
  peer_frame,        // the same, where the stream has named a peer
  register_request,  // the three that `on` chooses from, with `frame`
  map_request,
  other_request,  // inside Noise
};

struct FaultKind {
  Fault fault{};
  std::string_view layer, word;
  FaultEvent event{};          // api: where `on` may be absent
  std::string_view members{};  // beside those that all have: their names, each followed by a space
  std::uint64_t bytes = 0;     // of that member, where it may be absent
};
[[nodiscard]] std::span<const FaultKind> fault_kinds() noexcept;  // one of each, in the order of Fault

struct FaultRule {
  Fault fault{};
  FaultEvent event{};
  std::optional<MachinePublic> machine;  // nobody else's
  std::optional<NodePublic> node;        // the same, by a key of the machine
  // Fires at the nth event, at every `every`-th after it (0: at each), `count` times (0: without end).
  std::uint64_t nth = 1, every = 0, count = 1;

  std::string path = "/ts2021";
  std::string location, text;
  std::optional<Instant::duration> delay, retry_after;
  std::uint64_t status = 500;
  std::uint64_t after = 0;  // bytes that still leave
  std::uint64_t bytes = 0;  // see the kind
  std::uint64_t code = 0, last_stream = 0, times = 1000;
  bool settings = false;  // flood of SETTINGS, not PING

  [[nodiscard]] bool selects() const noexcept { return machine || node; }
};

// Why a script is refused, and where.
struct FaultError {
  std::uint32_t line = 0, column = 0;  // from 1; bytes
  std::string message;                 // one line of English; quotes at most 64 bytes of the script
};

// The rules and their counters. Counting is exact whatever threads ask.
class FaultBook {
 public:
  static constexpr std::size_t max_size = std::size_t{1} << 20;  // bytes of text
  static constexpr std::size_t max_rules = 1000;

  struct Parsed {
    std::shared_ptr<const FaultBook> book;  // null: refused, see `error`
    FaultError error{};
    [[nodiscard]] explicit operator bool() const noexcept { return book != nullptr; }
  };
  // A list of rules in JSON with comments and trailing commas.
  [[nodiscard]] static Parsed parse(std::string_view text);

  explicit FaultBook(std::vector<FaultRule> rules);
  ~FaultBook();
  FaultBook(const FaultBook&) = delete;
  FaultBook& operator=(const FaultBook&) = delete;

  // Where something has happened, and to whom as far as it is known.
  struct Asked {
    FaultEvent event{};
    std::optional<MachinePublic> machine{};
    std::optional<NodePublic> node{};  // none: the machine decides
    std::string_view path{};           // of outer_answer
  };
  // The first rule that fires; it lives as long as the book. Rules behind it have not seen the event.
  [[nodiscard]] const FaultRule* ask(const Asked& asked) const noexcept;
  // Whose key this is. One thread only.
  void learn(const NodePublic& node, const MachinePublic& machine) const noexcept;

  struct Tally {
    std::uint64_t seen = 0, fired = 0;
  };
  [[nodiscard]] std::span<const FaultRule> rules() const noexcept { return rules_; }
  [[nodiscard]] Tally tally(std::size_t rule) const noexcept;
  // The rules as the script has them, each with "seen" and "fired".
  [[nodiscard]] std::string json() const;

 private:
  struct State;
  [[nodiscard]] bool is_for(std::size_t rule, const Asked& asked) const noexcept;

  std::vector<FaultRule> rules_;
  using Written =
      std::vector<std::pair<std::string, std::string>>;  // names and JSON of the members of a rule
  std::vector<Written> written_;
  std::unique_ptr<State[]> states_;
};

// Where many threads find the book of the moment; null: no faults.
class FaultSource {
 public:
  [[nodiscard]] virtual std::shared_ptr<const FaultBook> faults() const = 0;

 protected:
  ~FaultSource() = default;
};

}  // namespace ts2021::admin
