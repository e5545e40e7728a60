// SPDX-License-Identifier: BSD-3-Clause
// A hostile server's bytes against a whole client connection, with the cipher taken out (null_crypto.cc).
// Byte 0: where the server stands (0: in place of the 101; 1: inside Noise, the rest is plaintext; 2: behind
// the handshake, the rest is raw; 3: plain HTTP/1.1). Byte 1: how the input is cut. The rest: the input.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/conn/client_connection.h"
#include "ts2021/entry/upgrade.h"
#include "ts2021/noise/handshake.h"

using namespace ts2021;

namespace {

struct Client {
  fuzz::SameEntropy entropy;
  BlockPool blocks{64};
  CipherScratch cipher;
  std::vector<ControlNoisePair> keys;
  MachineKeyPair machine;
  Now now{Instant{std::chrono::seconds{1000}}, {}};
  std::optional<ClientConnection> connection;
  std::string sent;
  std::size_t closed = 0;

  explicit Client(ClientMode mode) {
    keys.push_back(ControlNoisePair::generate(entropy));
    machine = MachineKeyPair::generate(entropy);
    ClientConfig config;
    config.mode = mode;
    config.host = "h";
    config.machine = &machine;
    config.server = keys[0].open;
    config.version = ProtocolVersion{138};
    connection.emplace(config, Env{entropy, blocks, cipher}, now);
    settle();
  }
  ~Client() {
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
    for (int turn = 0; turn < 1000; ++turn) {
      bool busy = false;
      while (auto event = connection->next_event()) {
        busy = true;
        TS_EXPECT(closed == 0);
        if (std::holds_alternative<event::Ready>(*event)) {
          (void)connection->request({"POST", "/machine/register", {}}, share("{}"));
          (void)connection->request({"GET", "/machine/tka/bootstrap", {}}, share("{}"));
        } else if (const auto* data = std::get_if<event::ResponseData>(&*event)) {
          connection->release(data->stream, data->bytes.size());
        } else if (std::holds_alternative<event::Closed>(*event)) {
          ++closed;
        }
      }
      std::array<Bytes, 16> pieces;
      const std::size_t count = connection->output(pieces, now);
      std::size_t size = 0;
      for (std::size_t i = 0; i < count; ++i) {
        if (sent.size() < 4096) sent += as_text(pieces[i]);
        size += pieces[i].size();
      }
      connection->output_sent(size, now);
      if (!busy && size == 0 && !take_closed()) return;
    }
    TS_EXPECT(false);  // it never comes to rest
  }

  void answer_upgrade() {
    constexpr std::string_view name = "X-Tailscale-Handshake: ";
    const std::size_t at = sent.find(name);
    TS_EXPECT(at != std::string::npos);
    entry::UpgradeHead head;
    head.method = Method::post;
    const Header headers[] = {
        {"upgrade", entry::upgrade_protocol},
        {"x-tailscale-handshake", std::string_view(sent).substr(at + name.size(), 136)}};
    head.headers = headers;
    const auto verdict = entry::read_upgrade(head);
    const auto* request = std::get_if<entry::UpgradeRequest>(&verdict);
    TS_EXPECT(request);
    auto responder = noise::Responder::open(keys, request->initiation);
    TS_EXPECT(responder);
    std::array<std::uint8_t, noise::response_size> message2{};
    TS_EXPECT(std::move(*responder).reply(noise::EphemeralKey::generate(entropy), message2));
    feed(
        as_bytes("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
                 "tailscale-control-protocol\r\n\r\n"));
    feed(message2);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const int place = data[0] & 3;
  Client client(place == 3 ? ClientMode::http1 : ClientMode::noise);
  const std::size_t step = data[1] == 0 ? size : data[1];
  Bytes in(data + 2, size - 2);
  if (place == 1 || place == 2) client.answer_upgrade();
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
        client.feed(record);
      }
    } else {
      client.feed(part);
    }
    client.now.mono += std::chrono::milliseconds{10};
  }
  client.connection->receive_end(client.now);
  client.settle();
  TS_EXPECT(client.closed == 1);
  return 0;
}
