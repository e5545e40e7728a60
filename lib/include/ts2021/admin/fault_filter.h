// SPDX-License-Identifier: BSD-3-Clause
// The faults of the API and of map messages: values between connections and the coordinator, some of them
// late, changed, or not at all.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ts2021/admin/fault.h"
#include "ts2021/coord/event.h"
#include "ts2021/coord/input.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::admin {

// connections -> handle(CoordInput) -> next_input() -> coordinator -> handle(CoordEvent) -> next_event() ->
// connections. The caller pumps until nothing moves.
class FaultFilter {
 public:
  FaultFilter();
  ~FaultFilter();

  // Null: no faults. What the old rules hold back goes on at the next timeout, which is due.
  void set(std::shared_ptr<const FaultBook> book, Now now);
  [[nodiscard]] const std::shared_ptr<const FaultBook>& book() const noexcept { return book_; }

  void handle(CoordInput input, Now now);
  void handle(CoordEvent event, Now now);
  [[nodiscard]] std::optional<CoordInput> next_input();
  [[nodiscard]] std::optional<CoordEvent> next_event();

  void handle_timeout(Now now);
  [[nodiscard]] std::optional<Instant> next_timeout() const;
  // All sessions have ended and the coordinator is another one.
  void forget();

 private:
  using Key = std::pair<SessionId, ts2021::CallId>;
  struct Stream {  // a map request
    NodePublic node;
    Compression compression{};
    SharedPieces first, before;  // its messages; keep-alives don't count
    SharedPieces with_peer;      // one of them that names a peer
  };
  struct Held {
    Key key;
    std::optional<Instant> until;  // none: as long as the rules stand
    std::variant<CoordInput, CoordEvent> what;
  };

  void on(coord_input::Opened&& input, Now now);
  void on(coord_input::Gone&& input, Now now);
  void on(coord_input::Register&& input, Now now);
  void on(coord_input::Map&& input, Now now);
  void on(coord_input::Ask&& input, Now now);
  void on(coord_input::Cancelled&& input, Now now);
  void on(coord_input::Taken&& input, Now now);
  void on(coord_event::MapFrame&& event, Now now);

  void admit(FaultEvent event, Key key, const NodePublic* node, CoordInput input, Now now);
  void learn(const NodePublic& node, SessionId session);
  [[nodiscard]] const FaultRule* ask(const coord_event::MapFrame& frame, Stream& stream);
  void change(coord_event::MapFrame&& frame, Stream& stream, const FaultRule& rule, Now now);
  [[nodiscard]] Held* held(Key key);
  void end(Key key);

  std::shared_ptr<const FaultBook> book_;
  std::map<SessionId, MachinePublic> machines_;
  std::map<NodePublic, MachinePublic> nodes_;
  std::map<Key, Stream> streams_;
  std::vector<Held> held_;  // in the order in which it came
  std::deque<CoordInput> inputs_;
  std::deque<CoordEvent> events_;
  ZstdCompressor compressor_;
};

}  // namespace ts2021::admin
