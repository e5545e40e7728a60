// SPDX-License-Identifier: BSD-3-Clause
#include "crypto/blake2s.h"

#include <blake2.h>

#include "ts2021/base/secret.h"

namespace ts2021::crypto {

void blake2s(std::span<std::uint8_t, 32> out, std::initializer_list<Bytes> parts) noexcept {
  blake2s_state state;
  (void)blake2s_init(&state, out.size());  // fails for impossible sizes only
  for (const Bytes part : parts) (void)blake2s_update(&state, part.data(), part.size());
  (void)blake2s_final(&state, out.data(), out.size());
  wipe(MutableBytes(reinterpret_cast<std::uint8_t*>(&state), sizeof state));
}

}  // namespace ts2021::crypto
