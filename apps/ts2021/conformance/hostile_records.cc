// SPDX-License-Identifier: BSD-3-Clause
// Hostile records.
#include <array>

#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {
namespace {

// After the greeting these bytes end the connection, without an answer to the PING behind them.
Outcome ends(Context& context, std::string sent,
             const std::function<std::vector<std::uint8_t>(RecordStream&)>& make) {
  Http2Peer peer = context.open_http2();
  if (!peer.lives()) throw Obstacle("a good connection does not answer a PING");
  RecordStream& records = peer.records();
  const std::vector<std::uint8_t> bytes = make(records);
  records.connection().send(bytes);
  const bool ended = records.connection().read_to_end();
  return kept_if(ended, std::move(sent), "connection " + records.connection().state());
}

const std::vector<std::uint8_t>& ping() {
  static const std::vector<std::uint8_t> bytes = frame(h2::ping, 0, 0, std::array<std::uint8_t, 8>{});
  return bytes;
}

Outcome too_long(Context& context) {
  Worst worst("headers of records that are too long");
  for (const unsigned length : {4094u, 65535u})
    worst.add(std::to_string(length), ends(context, {}, [&](RecordStream&) {
                return std::vector<std::uint8_t>{4, static_cast<std::uint8_t>(length >> 8),
                                                 static_cast<std::uint8_t>(length)};
              }));
  return worst.outcome();
}

Outcome too_long_but_sealed(Context& context) {
  return ends(context, "a well sealed record of 5,000 bytes, a frame to be skipped",
              [](RecordStream& records) {
                return records.seal(frame(0xfb, 0, 0, std::vector<std::uint8_t>(4'972)));
              });
}

Outcome too_short(Context& context) {
  Worst worst("records shorter than a tag");
  for (const unsigned length : {0u, 15u})
    worst.add(std::to_string(length), ends(context, {}, [&](RecordStream&) {
                std::vector<std::uint8_t> bytes(3 + length, 'x');
                bytes[0] = 4;
                bytes[1] = 0;
                bytes[2] = static_cast<std::uint8_t>(length);
                return bytes;
              }));
  return worst.outcome();
}

Outcome types(Context& context) {
  Worst worst("well sealed records of another type");
  for (const unsigned type : {0u, 1u, 2u, 3u, 5u, 255u})
    worst.add(std::to_string(type), ends(context, {}, [&](RecordStream& records) {
                auto record = records.seal(ping());
                record[0] = static_cast<std::uint8_t>(type);
                return record;
              }));
  return worst.outcome();
}

Outcome tampered(Context& context) {
  Worst worst("records that were touched on the way");
  worst.add("a bit flipped", ends(context, {}, [](RecordStream& records) {
              auto record = records.seal(ping());
              record[5] ^= 1;
              return record;
            }));
  worst.add("sent twice", ends(context, {}, [](RecordStream& records) {
              auto record = records.seal(ping());
              const auto copy = record;
              record.insert(record.end(), copy.begin(), copy.end());
              return record;
            }));
  worst.add("one lost", ends(context, {}, [](RecordStream& records) {
              records.skip_one();
              return records.seal(ping());
            }));
  worst.add("two swapped", ends(context, {}, [](RecordStream& records) {
              const auto first = records.seal(ping());
              auto both = records.seal(ping());
              both.insert(both.end(), first.begin(), first.end());
              return both;
            }));
  return worst.outcome();
}

// A record after a bad one would open, if the server went on.
Outcome nothing_after(Context& context) {
  Http2Peer peer = context.open_http2();
  if (!peer.lives()) throw Obstacle("a good connection does not answer a PING");
  RecordStream& records = peer.records();
  auto bytes = records.seal(ping());
  const auto good = bytes;
  bytes.back() ^= 1;
  bytes.insert(bytes.end(), good.begin(), good.end());  // as if the bad one had never been
  records.connection().send(bytes);
  const auto pong =
      peer.wait_for([](const Frame& got) { return got.type == h2::ping; }, context.patience().silence);
  return kept_if(!pong, "a record with a bad tag, then the same with the right one",
                 pong ? "the second is heard" : "connection " + records.connection().state());
}

Outcome cut(Context& context) {
  Http2Peer peer = context.open_http2();
  if (!peer.lives()) throw Obstacle("a good connection does not answer a PING");
  RecordStream& records = peer.records();
  const auto record = records.seal(ping());
  records.connection().send(Bytes(record).first(10));
  records.connection().end_sending();
  const bool ended = records.connection().read_to_end();
  return kept_if(ended, "half a record, and the end", "connection " + records.connection().state());
}

Outcome many_empty(Context& context) {
  Http2Peer peer = context.open_http2();
  std::vector<std::uint8_t> all;
  for (int i = 0; i < 20'000; ++i) {
    const auto record = peer.records().seal({});
    all.insert(all.end(), record.begin(), record.end());
  }
  peer.records().connection().send(all);
  const bool lives = peer.lives();
  return kept_if(!lives, "20,000 empty records in a row",
                 lives ? "the connection goes on" : "connection " + peer.records().connection().state());
}

constexpr unsigned loud = needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"record.long", "REC-6", Level::must, loud, "a length above 4,093 ends the connection at once",
          "a server that waits for the body keeps what it should not", too_long},
    Check{"record.sealed-long", "REC-6", Level::must, loud, "so does a long record that would open",
          "the limit is not a matter of tags", too_long_but_sealed},
    Check{"record.short", "REC-6", Level::must, loud, "a length below 16 ends the connection",
          "there is no room for a tag", too_short},
    Check{"record.type", "REC-6", Level::must, loud, "another type than 4 ends the connection",
          "the header is not authenticated", types},
    Check{"record.tag", "REC-7", Level::must, loud,
          "a record that was changed, repeated, lost or swapped ends the connection",
          "who is in the middle would write", tampered},
    Check{"record.after", "REC-7", Level::must, loud, "nothing is heard after a bad record",
          "who is in the middle could try again and again", nothing_after},
    Check{"record.cut", "REC-8", Level::must, loud, "a stream that ends inside a record is at its end",
          "the connection would stay for ever", cut},
    Check{"record.idle", "REC-5", Level::should, loud, "a flood of empty records ends the connection",
          "they cost a computation each and say nothing", many_empty},
};

}  // namespace

std::span<const Check> hostile_record_checks() { return checks; }

}  // namespace ts2021::app::conformance
