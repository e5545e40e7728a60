// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/noise_peer.h"

#include <algorithm>

#include "common/clock.h"
#include "crypto/aead.h"
#include "noise/nonce.h"
#include "noise/wire.h"
#include "ts2021/conformance/check.h"
#include "ts2021/noise/record.h"

namespace ts2021::app::conformance {
namespace {

constexpr Point zero{};

// As the handshake would, or with the result that a point of low order gives.
void mix(noise::SymmetricState& state, const MachinePrivate& secret, std::span<const std::uint8_t, 32> point,
         bool is_zero) {
  if (is_zero)
    state.mix_shared(zero);
  else if (!state.mix_key(secret.reveal_bytes(), point))
    throw Obstacle("the server's key has low order");
}

}  // namespace

Initiation::Initiation(Entropy& entropy, const MachineKeyPair& machine, const ControlNoisePublic& server,
                       ProtocolVersion version, const FalseKeys& keys)
    : machine_(machine),
      ephemeral_(MachineKeyPair::generate(entropy)),
      zero_ephemeral_(keys.ephemeral.has_value()),
      zero_machine_(keys.machine.has_value()),
      state_(version, server.bytes()) {
  namespace at = noise::wire::message1;
  const std::span<std::uint8_t, at::size> out = message;
  store_u16be(out, static_cast<std::uint16_t>(version));
  out[at::type] = noise::wire::initiation;
  store_u16be(out.subspan<at::length>(), at::size - at::ephemeral);
  const auto put = [&](std::span<const std::uint8_t, 32> key, std::size_t where) {
    std::copy(key.begin(), key.end(), out.begin() + static_cast<std::ptrdiff_t>(where));
  };
  put(keys.ephemeral ? std::span<const std::uint8_t, 32>(*keys.ephemeral) : ephemeral_.open.bytes(),
      at::ephemeral);
  state_.mix_hash(out.subspan<at::ephemeral, 32>());
  mix(state_, ephemeral_.secret, server.bytes(), zero_ephemeral_);  // es
  put(keys.machine           ? std::span<const std::uint8_t, 32>(*keys.machine)
      : keys.machine_spelled ? std::span<const std::uint8_t, 32>(*keys.machine_spelled)
                             : machine.open.bytes(),
      at::machine);
  state_.seal(out.subspan<at::machine, at::machine_size>());
  mix(state_, machine.secret, server.bytes(), zero_machine_);  // ss
  state_.seal(out.subspan<at::tag>());
}

std::optional<RecordKeys> Initiation::finish(Bytes response) {
  namespace at = noise::wire::message2;
  if (response.size() != at::size || response[0] != noise::wire::response ||
      load_u16be(response.subspan(at::length)) != at::size - noise::wire::header_size)
    return std::nullopt;
  const auto theirs = response.subspan(at::ephemeral).first<32>();
  state_.mix_hash(theirs);
  mix(state_, ephemeral_.secret, theirs, zero_ephemeral_);  // ee
  mix(state_, machine_.secret, theirs, zero_machine_);      // se
  std::array<std::uint8_t, noise::tag_size> tag;
  std::copy_n(response.begin() + at::tag, tag.size(), tag.begin());
  if (!state_.open(tag)) return std::nullopt;
  RecordKeys keys;
  state_.split(keys.up, keys.down);
  return keys;
}

std::vector<std::uint8_t> seal_record(const RecordKeys& keys, std::uint64_t counter, Bytes plaintext) {
  std::vector<std::uint8_t> record(noise::record_header_size + plaintext.size() + noise::tag_size);
  record[0] = noise::wire::record;
  store_u16be(MutableBytes(record).subspan(1),
              static_cast<std::uint16_t>(plaintext.size() + noise::tag_size));
  std::copy(plaintext.begin(), plaintext.end(), record.begin() + noise::record_header_size);
  const MutableBytes body = MutableBytes(record).subspan(noise::record_header_size);
  crypto::Aead cipher;
  cipher.set_key(keys.up);
  cipher.seal(noise::nonce_of(counter), body.first(plaintext.size()), body.last<noise::tag_size>());
  return record;
}

std::optional<std::vector<std::uint8_t>> open_record(const RecordKeys& keys, std::uint64_t counter,
                                                     Bytes record) {
  if (record.size() < noise::record_header_size + noise::tag_size) return std::nullopt;
  std::vector<std::uint8_t> body(record.begin() + noise::record_header_size, record.end());
  const MutableBytes text = MutableBytes(body).first(body.size() - noise::tag_size);
  crypto::Aead cipher;
  cipher.set_key(keys.down);
  if (!cipher.open(noise::nonce_of(counter), text, MutableBytes(body).last<noise::tag_size>()))
    return std::nullopt;
  body.resize(text.size());
  return body;
}

RecordStream::RecordStream(RawConnection connection, const RecordKeys& keys)
    : connection_(std::move(connection)), keys_(keys) {}

bool RecordStream::send(Bytes plaintext) {
  std::vector<std::uint8_t> out;
  while (!plaintext.empty()) {
    const std::size_t size = std::min(plaintext.size(), noise::max_plaintext_size);
    const auto record = seal(plaintext.first(size));
    out.insert(out.end(), record.begin(), record.end());
    plaintext = plaintext.subspan(size);
  }
  return connection_.send(out);
}

std::vector<std::uint8_t> RecordStream::take(std::size_t count) {
  const auto end = input_.begin() + static_cast<std::ptrdiff_t>(std::min(count, input_.size()));
  std::vector<std::uint8_t> taken(input_.begin(), end);
  input_.erase(input_.begin(), end);
  return taken;
}

bool RecordStream::open_one(std::chrono::milliseconds patience) {
  std::size_t size = noise::record_header_size;
  const auto whole = [&](Bytes in) {
    if (in.size() < noise::record_header_size) return false;
    size = noise::record_header_size + load_u16be(in.subspan(1));
    return in.size() >= size;
  };
  if (!connection_.read_until(whole, patience)) return false;
  const std::vector<std::uint8_t> record = connection_.take(size);
  if (record[0] != noise::wire::record)
    throw Obstacle("REC-1: the server sent a record of type " + std::to_string(record[0]));
  if (size > noise::max_record_size || size < noise::record_header_size + noise::tag_size)
    throw Obstacle("REC-2: the server sent a record of " + std::to_string(size) + " bytes");
  const auto text = open_record(keys_, opened_, record);
  if (!text) throw Obstacle("REC-3: record " + std::to_string(opened_) + " of the server does not open");
  ++opened_;
  largest_ = std::max(largest_, size);
  input_.insert(input_.end(), text->begin(), text->end());
  return true;
}

bool RecordStream::read_at_least(std::size_t count, std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  while (input_.size() < count) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now().mono);
    if (input_.size() > RawConnection::max_input || !open_one(std::max(left, std::chrono::milliseconds(0))))
      return false;
  }
  return true;
}

}  // namespace ts2021::app::conformance
