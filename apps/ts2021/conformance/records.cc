// SPDX-License-Identifier: BSD-3-Clause
// The record layer, as honest clients use it.
#include <array>
#include <thread>

#include "ts2021/conformance/context.h"
#include "ts2021/noise/record.h"

namespace ts2021::app::conformance {
namespace {

std::string records_told(RecordStream& records) {
  return std::to_string(records.records()) + " records opened, the largest of " +
         std::to_string(records.largest()) + " bytes; connection " + records.connection().state();
}

// The connection answers a PING after that.
Outcome goes_on(Http2Peer& peer, std::string sent) {
  const bool lives = peer.lives();
  std::string got = lives ? "PING answered; " : "PING not answered; ";
  return kept_if(lives, std::move(sent), got + records_told(peer.records()));
}

// Each PING in records of one byte: the counter goes past 256 with few of them.
Outcome counters(Context& context) {
  Http2Peer peer = context.open_http2();
  const auto ping = frame(h2::ping, 0, 0, std::array<std::uint8_t, 8>{});
  const std::string sent = "340 records, 20 PINGs";
  for (int i = 0; i < 20; ++i) {
    for (const std::uint8_t byte : ping) peer.records().connection().send(peer.records().seal({&byte, 1}));
    const auto pong =
        peer.wait_for([](const Frame& got) { return got.type == h2::ping; }, context.patience().answer);
    if (!pong)
      return broken(sent, "silence after " + std::to_string(i) + "; " + records_told(peer.records()));
  }
  return kept_if(peer.records().records() > 20, sent, records_told(peer.records()));
}

Outcome sizes(Context& context) {
  Http2Peer peer = context.open_http2();
  // Its frames fill records to the brim.
  std::string body = context.harmless_body();
  body.insert(1, "\"NoSuchMember\":\"" + std::string(3 * noise::max_plaintext_size, 'x') + "\",");
  const std::uint32_t stream = peer.post("/machine/map", body);
  (void)peer.wait_for_answer(stream);
  return goes_on(peer, "a request of 12 KiB in records of 4,096 bytes");
}

Outcome empty(Context& context) {
  Http2Peer peer = context.open_http2();
  for (int i = 0; i < 10; ++i) peer.records().connection().send(peer.records().seal({}));
  return goes_on(peer, "ten empty records");
}

Outcome byte_by_byte(Context& context) {
  Http2Peer peer(context.open_noise());
  peer.read_greeting();
  std::vector<std::uint8_t> flight(h2::preface.begin(), h2::preface.end());
  const auto settings = frame(h2::settings, 0, 0, {});
  flight.insert(flight.end(), settings.begin(), settings.end());
  for (const std::uint8_t byte : flight) peer.records().connection().send(peer.records().seal({&byte, 1}));
  return goes_on(peer, "preface and SETTINGS in records of one byte each");
}

Outcome cut_anywhere(Context& context) {
  Http2Peer peer = context.open_http2();
  const auto record = peer.records().seal(frame(h2::ping, 0, 0, std::array<std::uint8_t, 8>{}));
  for (const std::uint8_t byte : record) {
    peer.records().connection().send(Bytes(&byte, 1));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return goes_on(peer, "a record in segments of one byte each");
}

constexpr std::array checks{
    Check{"records.counter", "REC-3", Level::must, needs::noise,
          "the counter goes on, big-endian, in both directions",
          "little-endian counters agree for one record only", counters},
    Check{"records.size", "REC-2", Level::must, needs::noise,
          "records of 4,096 bytes are taken, and none is larger", "clients refuse larger ones", sizes},
    Check{"records.empty", "REC-5", Level::must, needs::noise, "empty records count and mean nothing",
          "they are legal", empty},
    Check{"records.small", "REC-1", Level::must, needs::noise, "borders of records mean nothing",
          "a client may flush as it likes", byte_by_byte},
    Check{"records.cut", "REC-1", Level::must, needs::noise, "borders of segments mean nothing",
          "TCP cuts where it likes", cut_anywhere},
};

}  // namespace

std::span<const Check> record_checks() { return checks; }

}  // namespace ts2021::app::conformance
