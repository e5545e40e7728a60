// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/legacy/nacl_box.h"

#include <algorithm>

#include "crypto/box.h"

namespace ts2021 {

Result<NaclBox> NaclBox::between_bytes(std::span<const std::uint8_t, 32> self,
                                       std::span<const std::uint8_t, 32> peer) noexcept {
  if (std::ranges::all_of(self, [](std::uint8_t byte) { return byte == 0; })) return fail(Errc::misuse, 600);
  Secret<32> shared;
  if (!crypto::box_key(shared.bytes(), self, peer)) return fail(Errc::low_order_key, 601);  // BOX-3
  return NaclBox(std::move(shared));
}

Result<void> NaclBox::seal(MutableBytes whole, Entropy& entropy) const noexcept {
  if (whole.size() < overhead) return fail(Errc::misuse, 602);
  const auto nonce = whole.first<nonce_size>();
  entropy.fill(nonce);  // BOX-2
  crypto::box_seal(shared_.bytes(), nonce, whole.subspan(overhead), whole.subspan<nonce_size, tag_size>());
  return {};
}

Result<MutableBytes> NaclBox::open(MutableBytes whole) const noexcept {
  if (whole.size() < overhead) return fail(Errc::bad_box, 603);  // BOX-1
  if (!crypto::box_open(shared_.bytes(), whole.first<nonce_size>(), whole.subspan(overhead),
                        whole.subspan<nonce_size, tag_size>()))
    return fail(Errc::bad_box, 604);
  return whole.subspan(overhead);
}

}  // namespace ts2021
