// SPDX-License-Identifier: BSD-3-Clause
// What a server may keep so that a machine that comes back costs three scalar multiplications, not five.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "ts2021/base/entropy.h"
#include "ts2021/base/secret.h"
#include "ts2021/key/key.h"
#include "ts2021/noise/handshake.h"

namespace ts2021::noise {

// The static-static result of one machine and one server key: from the handshake that computed it to the
// proof that the machine is there. Only the cache whose name for the pair it carries can use it.
class MachineSecret {
 public:
  using Name = std::array<std::uint8_t, 32>;
  MachineSecret(const Name& name, Secret<32> shared) noexcept : name_(name), shared_(std::move(shared)) {}

 private:
  friend class HandshakeCache;
  Name name_;
  Secret<32> shared_;
};

struct HandshakeCacheLimits {
  std::size_t machines = 16'384;  // about 110 bytes each once there; 0: nothing is kept about machines
  std::size_t ephemerals = 16;    // key pairs made ahead, 72 bytes each; 0: none
};

// One per thread, lent to all its connections; the bytes on the wire are the same with and without it. All
// secrets in it are wiped when they are used up, displaced or destroyed.
class HandshakeCache {
 public:
  // Draws 32 bytes. `entropy` must outlive the cache.
  explicit HandshakeCache(Entropy& entropy, HandshakeCacheLimits limits = {});
  ~HandshakeCache();
  HandshakeCache(const HandshakeCache&) = delete;
  HandshakeCache& operator=(const HandshakeCache&) = delete;

  // In idle time: while one is wanted, make one. Each costs one multiplication of the base point.
  [[nodiscard]] bool wants_ephemeral() const noexcept;
  void make_ephemeral() noexcept;  // nothing when none is wanted
  // One made ahead, or else a fresh one.
  [[nodiscard]] EphemeralKey take_ephemeral() noexcept;

  // Only after the machine's first record has opened (HSK-10), so that message 1 alone, which anybody can
  // replay, leaves nothing behind. When all places are taken, one goes that no handshake has used since its
  // last turn. Null is ignored.
  void remember(std::unique_ptr<MachineSecret> secret) noexcept;
  // Drops all machines, as when a server key is withdrawn.
  void forget_machines() noexcept;
  [[nodiscard]] std::size_t machine_count() const noexcept;

 private:
  friend class Responder;
  [[nodiscard]] std::array<std::uint8_t, 32> start_hash(ProtocolVersion version,
                                                        const ControlNoisePublic& server) noexcept;
  [[nodiscard]] bool keeps_machines() const noexcept;
  [[nodiscard]] MachineSecret::Name name_of(const ControlNoisePublic& server,
                                            const MachinePublic& machine) const noexcept;
  // Null when unknown; lives until the next remember() or forget_machines().
  [[nodiscard]] const Secret<32>* find(const MachineSecret::Name& name) noexcept;

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts2021::noise
