// SPDX-License-Identifier: BSD-3-Clause
// How the messages of a node travel: as they are inside Noise (TS2021), or each in a box on the ordinary site
// (TS2019).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/base/entropy.h"
#include "ts2021/base/result.h"
#include "ts2021/base/shared_bytes.h"
#include "ts2021/key/key.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/capability.h"

namespace ts2021 {

class Envelope {
 public:
  Envelope() noexcept = default;  // TS2021: nothing is changed
  // TS2019. Errors: low_order_key (the server's key; zero is one), misuse (a zero machine key).
  [[nodiscard]] static Result<Envelope> boxed(const MachineKeyPair& machine, const ControlBoxPublic& server);

  [[nodiscard]] bool is_boxed() const noexcept { return box_.has_value(); }
  // Of a path as TS2021 has it. TS2019 knows register, map and set-dns only: misuse for others.
  [[nodiscard]] Result<std::string> path(std::string_view path) const;
  // RegisterRequest.Version and SetDNSRequest.Version: 1 in boxes.
  [[nodiscard]] Capability version(Capability capability) const noexcept;

  // The body of a request.
  [[nodiscard]] Result<SharedBytes> seal(Bytes message, Entropy& entropy);
  // What is in a body that was answered with 200, or in one message of a map stream; in place. bad_box when
  // it does not open, or is one of the latest 64 that we sealed ourselves: the key is the same both ways
  // (BOX-4).
  [[nodiscard]] Result<MutableBytes> open(MutableBytes whole) const noexcept;

 private:
  using Nonce = std::array<std::uint8_t, NaclBox::nonce_size>;
  std::optional<NaclBox> box_;
  std::string machine_;        // bare text of the machine key
  std::vector<Nonce> sealed_;  // of our latest boxes, a ring once it is full
  std::size_t oldest_ = 0;
};

}  // namespace ts2021
