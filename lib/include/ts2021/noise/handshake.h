// SPDX-License-Identifier: BSD-3-Clause
// The Noise IK handshake, both roles: two objects whose last step spends them.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "ts2021/base/bytes.h"
#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/secret.h"
#include "ts2021/key/key.h"
#include "ts2021/noise/direction_key.h"

namespace ts2021::noise {

class HandshakeCache;
class MachineSecret;

inline constexpr std::size_t initiation_size = 101;
inline constexpr std::size_t response_size = 51;

// Used once: made by drawing it, spent by moving it into a handshake. The public half is computed here, so
// a server may make some ahead in idle time.
class EphemeralKey {
 public:
  [[nodiscard]] static EphemeralKey generate(Entropy& entropy) noexcept;
  EphemeralKey(EphemeralKey&& other) noexcept;
  EphemeralKey& operator=(EphemeralKey&& other) noexcept;
  ~EphemeralKey() = default;

  [[nodiscard]] bool is_spent() const noexcept { return spent_; }

 private:
  friend class Initiator;
  friend class Responder;
  EphemeralKey() noexcept = default;
  Secret<32> secret_;
  std::array<std::uint8_t, 32> open_{};
  bool spent_ = true;
};

struct Session {
  SendKey send;
  ReceiveKey receive;
  std::array<std::uint8_t, 32> handshake_hash{};  // channel binding; nothing on the wire uses it
  ProtocolVersion version{};
};

// Client: start() writes message 1 for the upgrade request, finish() takes message 2 and spends the object.
// The key pair is passed again, not remembered: a wrong one fails the tag, a dangling one would not fail.
// After any error give the connection up; only a new Initiator with a new ephemeral key may try again.
class Initiator {
 public:
  // Errors: misuse (spent ephemeral, zero machine key), low_order_point (the server's key is unusable).
  [[nodiscard]] static Result<Initiator> start(const MachineKeyPair& self, const ControlNoisePublic& server,
                                               ProtocolVersion version, EphemeralKey ephemeral,
                                               std::span<std::uint8_t, initiation_size> out) noexcept;
  // Errors: bad_message_type, bad_message_size, low_order_point, bad_tag; misuse when already spent.
  [[nodiscard]] Result<Session> finish(const MachineKeyPair& self,
                                       std::span<const std::uint8_t, response_size> response) && noexcept;

 private:
  Initiator(EphemeralKey ephemeral, ProtocolVersion version) noexcept
      : ephemeral_(std::move(ephemeral)), version_(version) {}
  EphemeralKey ephemeral_;  // spent together with the object
  Secret<32> chain_;
  std::array<std::uint8_t, 32> hash_{};
  ProtocolVersion version_;
};

// Server: open() tries each key, newest first, and tells which machine asks. That proves nothing yet: a
// replay asks too, and only the first good record shows that the machine is there (HSK-10). reply() answers
// and spends the object. Both run without waiting; a responder costs five scalar multiplications, or three
// for a machine that the cache knows with an ephemeral key made ahead.
class Responder {
 public:
  // `initiation` has any size: the three format errors (bad_message_size, bad_message_type) have an
  // error_record(). Everything else, bad_tag, low_order_point, non_canonical_key, ends without a byte.
  // `cache` may be null and is not kept; it never changes the outcome.
  [[nodiscard]] static Result<Responder> open(std::span<const ControlNoisePair> keys, Bytes initiation,
                                              HandshakeCache* cache = nullptr) noexcept;
  [[nodiscard]] const MachinePublic& peer() const noexcept { return peer_; }
  [[nodiscard]] ProtocolVersion version() const noexcept { return version_; }
  // Which of the keys opened it: other than 0 means that the client has an old server key.
  [[nodiscard]] std::size_t key_index() const noexcept { return key_index_; }
  // For HandshakeCache::remember() once the first record has opened. Null without a cache, when the cache
  // knows the machine, and the second time.
  [[nodiscard]] std::unique_ptr<MachineSecret> take_machine_secret() noexcept;
  // Errors: misuse when the object or the ephemeral key is already spent; low_order_point.
  [[nodiscard]] Result<Session> reply(EphemeralKey ephemeral,
                                      std::span<std::uint8_t, response_size> out) && noexcept;

  Responder(Responder&& other) noexcept;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

 private:
  Responder() noexcept;
  Secret<32> chain_;
  std::array<std::uint8_t, 32> hash_{};
  std::array<std::uint8_t, 32> peer_ephemeral_{};
  MachinePublic peer_;
  std::unique_ptr<MachineSecret> machine_secret_;
  ProtocolVersion version_{};
  std::size_t key_index_ = 0;
  bool spent_ = true;
};

// The record of type 3 that a server sends instead of message 2 for this error of Responder::open(), then
// closing (HSK-8): fixed bytes that live for ever. Empty for every other error: close without a byte.
[[nodiscard]] Bytes error_record(const Error& error) noexcept;

// Client: takes message 2, or the error record in its place, from a stream of bytes; holds no more than 256
// bytes of a text.
class ResponseReader {
 public:
  // Returns how many bytes it took; what follows belongs to the record reader.
  [[nodiscard]] std::size_t feed(Bytes in) noexcept;
  // Message 2 for Initiator::finish(), a copy; nullopt when more bytes are needed. Errors, final:
  // peer_refused once the whole error record is in, bad_message_type, bad_message_size.
  [[nodiscard]] Result<std::optional<std::array<std::uint8_t, response_size>>> next() const noexcept;
  // What an error record says: a hint by anybody, unchecked bytes, cut at 256. Show it escaped, act on
  // nothing.
  [[nodiscard]] std::string_view untrusted_text() const noexcept;

 private:
  static constexpr std::size_t max_text_size = 256;
  std::array<std::uint8_t, 3 + max_text_size> kept_{};
  std::uint32_t seen_ = 0;   // bytes taken so far
  std::uint32_t whole_ = 3;  // bytes of the message, once its header is known
  bool header_done_ = false;
  std::optional<Error> error_;
};

}  // namespace ts2021::noise
