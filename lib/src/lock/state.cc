// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/state.h"

#include <algorithm>

#include "crypto/argon2i.h"

namespace ts2021::lock {

const Key* State::find(Bytes key_id) const noexcept {
  const auto found =
      std::ranges::find_if(keys, [key_id](const Key& key) { return std::ranges::equal(key.id, key_id); });
  return found == keys.end() ? nullptr : &*found;
}

Result<DisablementValue> disablement_value(Bytes secret) noexcept {
  constexpr crypto::Argon2iCost cost{4, 16 * 1024, 4};  // LCK-10
  DisablementValue out;
  if (!crypto::argon2i(out, secret, as_bytes("tailscale network-lock disablement salt"), cost))
    return fail(Errc::out_of_memory, 1230);
  return out;
}

}  // namespace ts2021::lock
