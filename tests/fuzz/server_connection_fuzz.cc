// SPDX-License-Identifier: BSD-3-Clause
// A stranger's bytes against a whole server connection, with the cipher taken out (null_crypto.cc).
// Byte 0: where the stranger stands (0: outside; 1: inside Noise, the rest is plaintext; 2: behind the
// upgrade, the rest is raw; 3: WebSocket, raw), plus 4: its socket takes 700 bytes at a time, 8: the pool has
// six blocks, 16: three seconds pass between two reads. Byte 1: how the input is cut. The rest: the input.
#include <algorithm>
#include <array>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/noise/handshake.h"

using namespace ts2021;

namespace {

constexpr Route routes[] = {
    {RouteId{0}, Site::noise, Method::post, "/machine/register", 1 << 20},
    {RouteId{1}, Site::noise, Method::post, "/machine/map", 4096},
    {RouteId{2}, Site::outer, Method::get, "/key", 0},
    {RouteId{3}, Site::outer, Method::post, "/machine/{}/map", 4096},
};

constexpr std::uint8_t narrow = 4, poor = 8, slow = 16;

struct Stranger {
  const std::uint8_t manner;
  fuzz::SameEntropy entropy;
  BlockPool blocks{(manner & poor) != 0 ? std::size_t{6} : std::size_t{64}};
  CipherScratch cipher;
  noise::HandshakeCache handshakes{entropy, {.machines = 2, .ephemerals = 1}};
  std::vector<ControlNoisePair> keys;
  MachineKeyPair machine;
  ServerConfig config;
  Now now{Instant{std::chrono::seconds{1000}}, {}};
  std::optional<ServerConnection> connection;
  std::size_t closed = 0;

  explicit Stranger(std::uint8_t m) : manner(m) {
    keys.push_back(ControlNoisePair::generate(entropy));
    machine = MachineKeyPair::generate(entropy);
    config.noise_keys = keys;
    config.routes = routes;
    connection.emplace(config, Env{entropy, blocks, cipher, &handshakes}, now);
  }
  ~Stranger() {
    connection.reset();
    TS_EXPECT(blocks.in_use() == 0);
  }

  void feed(Bytes in) {
    std::vector<std::uint8_t> copy(in.begin(), in.end());
    (void)connection->receive(copy, now);
    settle();
  }

  // Closed follows the last byte.
  bool take_closed() {
    const auto event = connection->next_event();
    if (event && std::holds_alternative<event::Closed>(*event)) ++closed;
    return event.has_value();
  }

  void settle() {
    for (int turn = 0; turn < 10000; ++turn) {
      bool busy = false;
      while (auto event = connection->next_event()) {
        busy = true;
        TS_EXPECT(closed == 0);  // Closed is the last event
        if (std::holds_alternative<event::PeerKnown>(*event)) {
          handshakes.make_ephemeral();
          (void)connection->accept(as_bytes("{}"), now);
        } else if (const auto* request = std::get_if<event::Request>(&*event)) {
          TS_EXPECT(request->body.size() <= (1u << 20));
          if (static_cast<int>(request->route) == 1) {
            (void)connection->start_stream(request->stream, {});
            const SharedBytes pieces[] = {share("12345678"), share(request->body)};
            (void)connection->push(request->stream, pieces, now);
          } else {
            (void)connection->respond(request->stream, {200, "text/plain", {}}, share(request->body));
          }
          connection->release(request->stream);
        } else if (const auto* writable = std::get_if<event::Writable>(&*event)) {
          (void)connection->end_stream(writable->stream);
        } else if (std::holds_alternative<event::Closed>(*event)) {
          ++closed;
        }
      }
      std::array<Bytes, 16> pieces;
      const std::size_t count = connection->output(pieces, now);
      std::size_t sent = 0;
      for (std::size_t i = 0; i < count; ++i) sent += pieces[i].size();
      TS_EXPECT(sent <= config.limits.max_output);
      if ((manner & narrow) != 0) sent = std::min<std::size_t>(sent, 700);
      connection->output_sent(sent, now);
      if (!busy && sent == 0 && !take_closed()) return;
    }
    TS_EXPECT(false && "a connection that never comes to rest");
  }

  void upgrade(bool websocket) {
    std::array<std::uint8_t, noise::initiation_size> message1{};
    auto begun = noise::Initiator::start(machine, keys[0].open, ProtocolVersion{138},
                                         noise::EphemeralKey::generate(entropy), message1);
    TS_EXPECT(begun);
    BlockPool pool(4);
    ByteQueue request(pool, 1 << 15);
    const std::array<std::uint8_t, 16> nonce{};
    TS_EXPECT(websocket ? entry::write_websocket_request({"h"}, message1, nonce, request)
                        : entry::write_upgrade_request({"h"}, message1, request));
    std::array<Bytes, 4> pieces;
    TS_EXPECT(request.gather(pieces) == 1);
    feed(pieces[0]);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  Stranger stranger(data[0]);
  const int place = data[0] & 3;
  const std::size_t step = data[1] == 0 ? size : data[1];
  Bytes in(data + 2, size - 2);
  if (place != 0) stranger.upgrade(place == 3);
  while (!in.empty()) {
    const Bytes part = in.first(std::min(step, in.size()));
    in = in.subspan(part.size());
    if (place == 1) {
      for (Bytes rest = part; !rest.empty();) {
        const Bytes text = rest.first(std::min<std::size_t>(rest.size(), 4077));
        rest = rest.subspan(text.size());
        std::vector<std::uint8_t> record{4, 0, 0};
        store_u16be(MutableBytes(record).subspan(1), static_cast<std::uint16_t>(text.size() + 16));
        record.insert(record.end(), text.begin(), text.end());
        record.resize(record.size() + 16);
        stranger.feed(record);
      }
    } else {
      stranger.feed(part);
    }
    stranger.now.mono += std::chrono::milliseconds{(data[0] & slow) != 0 ? 3000 : 10};
    if ((data[0] & slow) != 0) stranger.connection->handle_timeout(stranger.now);
  }
  stranger.connection->receive_end(stranger.now);
  stranger.settle();
  stranger.now.mono += std::chrono::minutes{10};
  stranger.connection->handle_timeout(stranger.now);
  stranger.settle();
  TS_EXPECT(stranger.closed == 1);
  return 0;
}
