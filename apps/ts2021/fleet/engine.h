// SPDX-License-Identifier: BSD-3-Clause
// All connections of the fleet on one thread.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <deque>
#include <string>
#include <vector>

#include "common/clock.h"
#include "common/socket.h"
#include "ts2021/base/block_pool.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/fleet/node.h"
#include "ts2021/fleet/requests.h"
#include "ts2021/noise/cipher_scratch.h"

namespace ts2021::app::fleet {

enum class Step { tcp, upgrade, enroll, update, head, first_map };

class Listener {
 public:
  virtual void on_step(Node& node, Step step, std::chrono::nanoseconds took) = 0;
  // The first map is there, or what came before it when no stream was asked for.
  virtual void on_done(Node& node, Instant at) = 0;
  // Without its size prefix; lives for the call. The first one comes before on_done().
  virtual void on_message(Node& node, Bytes packed, Instant at) = 0;
  // The answer to Engine::update().
  virtual void on_updated(Node& node, Instant sent, Instant at) = 0;
  // The node is off. `why` is printable; it may quote the server.
  virtual void on_failed(Node& node, bool was_streaming, const std::string& why) = 0;

 protected:
  ~Listener() = default;
};

struct Server {
  Address address;
  std::string host;  // for Host headers
  ControlNoisePublic key;
  Speech speech;
  unsigned sources = 0;  // local addresses 127.0.0.1 and up to spread over; 0: the system's choice
};

class Engine {
 public:
  // Events come during turn() and start(), never within reset() or update(). Nodes stay where they are.
  Engine(Server server, Markers markers, std::deque<Node>& nodes, Listener& listener);

  // From off to the end of the errand, or to a failure within `patience`.
  void start(Node& node, const Errand& errand, std::chrono::nanoseconds patience);
  // Sends endpoints and home relay as they are now. Precondition: streaming, no update under way.
  void update(Node& node);
  // Ends the stream and opens another on the same connection. Precondition: streaming.
  void reopen(Node& node, bool omit_peers, std::chrono::nanoseconds patience);
  // Ends the connection with a reset, which leaves nothing behind on either side.
  void reset(Node& node);

  // Waits for at most so long and deals with what there is.
  void turn(std::chrono::milliseconds max_wait);

 private:
  void connect(Node& node);
  void on_connected(Node& node);
  void on_readable(Node& node);
  void serve(Node& node, Instant at);
  bool take_events(Node& node, Instant at);
  void on_event(Node& node, const ClientEvent& event, Instant at);
  void on_map_bytes(Node& node, Bytes in, Instant at);
  void on_end(Node& node, StreamId stream, Instant at);
  void on_enrolled(Node& node, Instant at);
  void next_step(Node& node, Instant at);
  void step(Node& node, Step step, Instant at);
  bool send(Node& node, std::string_view path, const std::string& json, std::optional<StreamId>& stream);
  void open_map(Node& node, Instant at);
  void watch(Node& node, int operation, bool writable);
  void fail(Node& node, const std::string& why);
  void sweep(Instant at);

  Server server_;
  Markers markers_;
  std::deque<Node>& nodes_;
  Listener& listener_;
  Fd epoll_;
  SystemEntropy entropy_;
  BlockPool blocks_{std::size_t{1} << 24, 1024};
  SlotPool slots_;
  CipherScratch cipher_;
  std::vector<std::uint8_t> scratch_;
  std::array<epoll_event, 512> events_{};
  Instant next_sweep_{};
};

}  // namespace ts2021::app::fleet
