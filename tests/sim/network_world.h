// SPDX-License-Identifier: BSD-3-Clause
// A tailnet with its network, by a seed, in virtual time: devices of many versions with real client
// connections, a network that is slow, cuts and breaks, and a server of real connections, the service, a
// coordinator and a store that takes its time. One thread, no clock, no socket.
//
// Judged are: each map message when it is made, against what its viewer ought to see; what arrives, against
// what was sent; every end of a connection, which must have a cause; and all maps when all is quiet.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "sim/digest.h"
#include "sim/intent.h"
#include "sim/owner.h"
#include "sim/schedule.h"
#include "store/memory_store.h"
#include "support/slow_store.h"
#include "support/strict_fold.h"
#include "support/support.h"
#include "ts2021/client/node_client.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/service/control_service.h"

namespace ts2021::test {

// What the world itself can do wrong, to prove that it would be found.
#define TS_NETWORK_FAULTS(FAULT)                                                             \
  FAULT(loses_byte, "a byte of what waited in a stall is lost")                              \
  FAULT(repeats_segment, "a segment arrives twice")                                          \
  FAULT(swaps_segments, "two segments change places")                                        \
  FAULT(loses_message, "a map message is not handed to the connection, and counts as taken") \
  FAULT(repeats_message, "a map message is handed over again when it was taken")             \
  FAULT(sends_older_message, "a viewer gets the message of another")                         \
  FAULT(loses_taken, "nobody says that a map message has left")                              \
  FAULT(keeps_dead, "the server does not hear that connections are cut")                     \
  FAULT(loses_cancel, "the coordinator does not hear that a session has gone")
enum class NetworkFault : std::uint8_t {
  none,
#define FAULT(name, text) name,
  TS_NETWORK_FAULTS(FAULT)
#undef FAULT
};

class NetworkWorld {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::size_t devices = 250;
    unsigned frames_between_all = 64;  // as Intent::judge() has it
    NetworkFault fault = NetworkFault::none;
  };
  explicit NetworkWorld(const Options& options);
  ~NetworkWorld();

  // Returns the first thing that went wrong, with its time; empty when all is well. Ends with everybody gone.
  std::string run(std::chrono::hours hours);

  // Of all bytes that arrived, with their times and places.
  [[nodiscard]] std::uint64_t digest() const { return digest_.value(); }
  struct Tally {
    std::size_t lines = 0, boxed_lines = 0, frames = 0, keep_alives = 0, full_maps = 0, bytes = 0,
                updates = 0, roams = 0, cuts = 0, silent_cuts = 0, stalls = 0, overlaps = 0, rotations = 0,
                logouts = 0, naps = 0, storms = 0, restarts = 0, orders = 0, refusals = 0, quiet_checks = 0,
                compared = 0, blocked = 0, timeouts = 0, late_writes = 0, most_online = 0, most_events = 0,
                most_blocks = 0;
  };
  Tally tally;
  [[nodiscard]] const Intent::Tally& judged() const { return intent_.tally(); }
  [[nodiscard]] std::uint64_t steps() const { return schedule_.steps(); }

 private:
  using Duration = Instant::duration;
  enum class LineId : std::uint64_t {};  // that of its session too
  enum class Kind : std::uint8_t { server, laptop, phone };

  // --- the network (network_wire.cc) ---

  struct Segment {
    Instant at{};
    Buffer bytes;  // none: the end
  };
  // One direction of a TCP connection: what the socket of one end has taken and the other has not given out.
  struct Pipe {
    static constexpr std::size_t room = 64 << 10;  // bytes that the sockets hold

    std::deque<Segment> segments;
    std::size_t size = 0;
    Instant last{};        // when the latest arrives: they keep their order
    bool hole = false;     // nothing arrives any more, and nobody says so
    bool stalled = false;  // the reader does not read
    bool blocked = false;  // the sender waits for room
    bool waits = false;    // the reader's connection wants no input now
    bool doomed = false;   // the sender will hear that nothing arrives
  };
  // A poll as the server sees it, and what its client has of it.
  struct Stream {
    Stream() {}  // clang 14 knows no other before the class around it is complete
    CallId call{};
    bool open = false;       // it gets frames
    bool in_flight = false;  // one that is not yet taken
    StrictFold sent, received;
    Intent::Mark judged;
    std::deque<std::pair<std::uint64_t, Instant>> under_way;  // digests of messages, and when they left
  };
  struct Line {
    LineId id{};
    std::size_t device{};
    bool errand = false;  // for one request that is no poll
    Duration latency{};
    Instant opened{}, disturbed_until{};  // until then it may end by what happened to it
    bool accepted = false, severed = false;
    std::optional<ServerConnection> server;
    std::optional<ClientConnection> client;
    std::unique_ptr<NodeClient> node;
    Pipe up, down;  // to the server; to the client
    std::optional<Instant> server_alarm, client_alarm;
    std::optional<Stream> stream;
  };

  LineId open_line(std::size_t device, bool errand, bool log_out = false);
  [[nodiscard]] Line* find(LineId id);
  void accept(LineId id);
  void work_server(Line& line);
  void work_client(Line& line);
  bool take_server_events(Line& line);
  bool take_client_events(Line& line);
  template <class Connection>
  bool send(Line& line, Connection& from, Pipe& pipe);
  void carry(Line& line, Pipe& pipe, Buffer bytes);
  void deliver(LineId id, bool up);
  void arm(LineId id, std::optional<Instant>& alarm, std::optional<Instant> next, bool server);
  void on_alarm(LineId id, bool server, Instant when);
  void take_node_events(Line& line);
  void end_server(Line& line, const Error& why);
  void end_client(Line& line, const Error& why);
  void check_end(const Line& line, const Error& why, const char* side);
  void break_end(LineId id, bool server);  // its socket reports that the connection is no more
  void disturb(Line& line, Duration time);
  void cut(LineId id);           // both ends hear of it
  void cut_silently(LineId id);  // none does
  void stall(LineId id, bool up, Duration time);
  void hang_up(LineId id);  // the client closes

  // --- devices (network_devices.cc) ---

  struct Device {
    Kind kind{};
    Capability capability{};
    bool boxed = false, zstd = false, ephemeral = false, ssh = false;
    MachineKeyPair machine;
    NodePublic key, old_key;
    DiscoPublic disco;
    std::string hostname;
    std::vector<IpPort> endpoints;
    std::vector<IpPrefix> routes;
    int home_derp = 900;
    Duration latency{};
    bool on = false;
    std::optional<LineId> main;
    unsigned failures = 0;       // in a row
    std::uint64_t attempts = 0;  // planned; only the last counts
    bool renews = false;         // its key has expired and it knows
  };
  void make_devices();
  void plan_day(std::size_t index);
  void switch_on(std::size_t index);
  void switch_off(std::size_t index);
  void connect(std::size_t index);
  void reconnect(std::size_t index, Duration wait);
  void plan_act(std::size_t index);
  void act(std::size_t index);
  void update(std::size_t index);
  void move(Device& device);
  void on_node_event(Line& line, NodeEvent& event);
  void on_map(Line& line, const node_event::MapUpdate& update);
  void on_ended(Line& line);
  void storm(unsigned one_in, bool silent);

  // --- the server (network_world.cc) ---

  struct Server {
    Server(NetworkWorld& world, std::uint64_t seed);

    MemoryStore inner;
    SlowStore store;
    SeededEntropy entropy;
    noise::HandshakeCache handshakes;
    Coordinator coordinator;
    ControlService service;
  };
  void start_server();
  void restart_server();
  void settle();
  void wake_store();
  void step_store();
  void wake_coordinator();
  template <class Input>
  void tell(const Input& input);
  void tell_time();
  void drain();
  void on_event(const CoordEvent& event);
  void on_frame(const coord_event::MapFrame& frame);
  void on_notice(const coord_event::Notice& notice);
  void order(std::optional<Owner::Order> order);
  void own();
  [[nodiscard]] Intent::Orders first_orders() const;
  // About 16 devices see each other.
  [[nodiscard]] std::uint64_t islands() const { return std::max<std::uint64_t>(3, options_.devices / 16); }

  // --- when all is quiet (network_judge.cc) ---

  void plan_quiet();
  void watch_quiet();
  void compare();
  void compare_line(const Line& line);
  void compare_presence();
  void look_at_sizes();
  void check_nothing_is_left();

  [[nodiscard]] Now now() const { return schedule_.now(); }
  void check(bool good, std::string what);
  std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }
  Duration random_time(Duration least, Duration most) {
    return least +
           Duration{static_cast<std::int64_t>(roll(static_cast<std::uint64_t>((most - least).count()) + 1))};
  }
  template <class K>
  K fresh_key() {
    std::array<std::uint8_t, 32> raw{};
    entropy_.fill(raw);
    return K::from_bytes(raw);
  }
  [[nodiscard]] bool faulty(NetworkFault fault) const { return options_.fault == fault; }

  const Options options_;
  std::mt19937_64 random_;
  SeededEntropy entropy_, client_entropy_;
  Schedule schedule_;
  Digest digest_;
  std::string wrong_;

  std::shared_ptr<MemoryRecords> records_ = std::make_shared<MemoryRecords>();
  Intent intent_;
  Owner owner_;
  MapFrameReader plain_reader_{Compression::none}, zstd_reader_{Compression::zstd};  // frames are whole
  SharedPieces decoded_from_;  // viewers share frames: the last one decoded
  std::shared_ptr<const MapResponse> decoded_;
  std::uint64_t decoded_digest_ = 0;
  coord_event::MapFrame older_;

  BlockPool server_blocks_{1 << 16}, client_blocks_{1 << 16};
  SlotPool slots_;
  CipherScratch cipher_;
  std::vector<ControlNoisePair> noise_keys_;
  ControlBoxPair box_keys_;
  ServerConfig server_config_;
  std::uint64_t starts_ = 0;  // of the server
  std::vector<SessionId> dirty_;
  bool store_awake_ = false, fanned_out_ = false;
  std::optional<Instant> coordinator_alarm_;
  std::map<CommandId, std::function<void()>> orders_;
  std::uint64_t commands_ = 0, last_line_ = 0;
  std::map<LineId, Line> lines_;
  std::vector<LineId> over_;
  std::vector<Device> devices_;
  std::unique_ptr<Server> server_;  // lines_ lend from it: they are emptied before
  bool quiet_ = false, closing_ = false;
  std::uint64_t quiet_version_ = 0;
  Instant quiet_since_{}, quiet_begun_{};
};

}  // namespace ts2021::test
