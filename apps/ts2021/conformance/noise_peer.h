// SPDX-License-Identifier: BSD-3-Clause
// A client's side of Noise that can be told to do what no honest one does.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "noise/symmetric_state.h"
#include "ts2021/base/entropy.h"
#include "ts2021/conformance/raw.h"
#include "ts2021/key/key.h"

namespace ts2021::app::conformance {

using Point = std::array<std::uint8_t, 32>;

// Keys that are not ours: with a point of low order every result is zero, and everybody's.
struct FalseKeys {
  std::optional<Point> ephemeral{};        // of low order
  std::optional<Point> machine{};          // of low order
  std::optional<Point> machine_spelled{};  // another spelling of our own
};

struct RecordKeys {
  std::array<std::uint8_t, 32> up, down;
};

// A record of any size; and its plaintext, or nothing when it does not open.
[[nodiscard]] std::vector<std::uint8_t> seal_record(const RecordKeys& keys, std::uint64_t counter,
                                                    Bytes plaintext);
[[nodiscard]] std::optional<std::vector<std::uint8_t>> open_record(const RecordKeys& keys,
                                                                   std::uint64_t counter, Bytes record);

// One handshake: message 1, which may be altered before it is sent, and the reading of message 2.
class Initiation {
 public:
  Initiation(Entropy& entropy, const MachineKeyPair& machine, const ControlNoisePublic& server,
             ProtocolVersion version, const FalseKeys& keys = {});

  std::array<std::uint8_t, 101> message{};
  // Nothing: not made with the server's key.
  [[nodiscard]] std::optional<RecordKeys> finish(Bytes response);

 private:
  const MachineKeyPair& machine_;
  MachineKeyPair ephemeral_;
  bool zero_ephemeral_, zero_machine_;
  noise::SymmetricState state_;
};

// The records of one connection. What is wrong with those of the server throws Obstacle.
class RecordStream {
 public:
  RecordStream(RawConnection connection, const RecordKeys& keys);
  RecordStream(RecordStream&&) = default;

  [[nodiscard]] RawConnection& connection() noexcept { return connection_; }
  // The next record of this direction, as it would go out; of any size.
  [[nodiscard]] std::vector<std::uint8_t> seal(Bytes plaintext) {
    return seal_record(keys_, sent_++, plaintext);
  }
  void skip_one() { ++sent_; }  // as if a record were lost
  // In as many records as it takes. False: the server takes no more.
  bool send(Bytes plaintext);

  // Plaintext that came and was not taken yet.
  [[nodiscard]] Bytes input() const noexcept { return input_; }
  [[nodiscard]] std::vector<std::uint8_t> take(std::size_t count);
  // Opens records until so much plaintext is there. False: the end, or nothing in time.
  bool read_at_least(std::size_t count, std::chrono::milliseconds patience);
  bool read_at_least(std::size_t count) { return read_at_least(count, connection_.patience().answer); }

  [[nodiscard]] std::uint64_t records() const noexcept { return opened_; }
  [[nodiscard]] std::size_t largest() const noexcept { return largest_; }  // bytes of a record in all

 private:
  bool open_one(std::chrono::milliseconds patience);

  RawConnection connection_;
  RecordKeys keys_;
  std::uint64_t sent_ = 0, opened_ = 0;
  std::size_t largest_ = 0;
  std::vector<std::uint8_t> input_;
};

}  // namespace ts2021::app::conformance
