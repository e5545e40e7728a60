// SPDX-License-Identifier: BSD-3-Clause
// Any bytes as a box, as a key, and as a text to seal.
#include <algorithm>
#include <vector>

#include "fuzz/fuzz.h"
#include "ts2021/legacy/nacl_box.h"

using namespace ts2021;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::SameEntropy entropy;
  static const MachineKeyPair machine = MachineKeyPair::generate(entropy);
  static const ControlBoxPair server = ControlBoxPair::generate(entropy);
  static const NaclBox up = std::move(*NaclBox::between(machine.secret, server.open));
  static const NaclBox down = std::move(*NaclBox::between(server.secret, machine.open));

  std::vector<std::uint8_t> bytes(data, data + size);
  const auto before = bytes;
  const auto opened = down.open(bytes);
  TS_EXPECT(!opened && opened.error().code == Errc::bad_box && bytes == before);

  std::vector<std::uint8_t> whole(NaclBox::overhead + size);
  std::copy(data, data + size, whole.begin() + NaclBox::overhead);
  TS_EXPECT(up.seal(whole, entropy));
  if (size > 0) {
    auto changed = whole;
    changed[data[0] % changed.size()] ^= static_cast<std::uint8_t>(1 + data[size - 1] % 255);
    TS_EXPECT(!down.open(changed));
  }
  const auto back = down.open(whole);
  TS_EXPECT(back && std::equal(back->begin(), back->end(), before.begin(), before.end()));

  if (size == 32) {
    const auto peer = MachinePublic::from_bytes(Bytes(bytes).first<32>());
    const auto box = NaclBox::between(server.secret, peer);
    TS_EXPECT(box || box.error().code == Errc::low_order_key);
    if (peer.is_zero()) TS_EXPECT(!box);
  }
  return 0;
}
