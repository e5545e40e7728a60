// SPDX-License-Identifier: BSD-3-Clause
// Any bytes after a client's message 1, cut in two places: the reader takes no more than a message, keeps no
// more than it may, and says the same as for the whole.
#include <algorithm>
#include <array>

#include "fuzz/fuzz.h"
#include "ts2021/noise/handshake.h"

using namespace ts2021;
using namespace ts2021::noise;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  ResponseReader whole;
  const std::size_t taken = whole.feed(input);
  TS_EXPECT(taken <= size && taken <= 3 + 65535);
  TS_EXPECT(whole.untrusted_text().size() <= 256);
  const auto said = whole.next();

  ResponseReader cut;
  std::size_t at = 0;
  for (std::size_t step = size == 0 ? 1 : 1 + data[size - 1] % 7; at < size;) {
    const std::size_t n = std::min(step, size - at);
    const std::size_t got = cut.feed(input.subspan(at, n));
    at += got;
    if (got < n) break;
  }
  TS_EXPECT(at == taken);
  const auto again = cut.next();
  TS_EXPECT(said.has_value() == again.has_value());
  TS_EXPECT(said ? *said == *again : said.error() == again.error());
  TS_EXPECT(whole.untrusted_text() == cut.untrusted_text());
  if (!said || !*said) return 0;

  fuzz::SameEntropy entropy;
  static const MachineKeyPair machine = MachineKeyPair::generate(entropy);
  static const ControlNoisePair server = ControlNoisePair::generate(entropy);
  std::array<std::uint8_t, initiation_size> first;
  auto started =
      Initiator::start(machine, server.open, ProtocolVersion{1}, EphemeralKey::generate(entropy), first);
  TS_EXPECT(started);
  // Nobody can have made the tag.
  TS_EXPECT(!std::move(*started).finish(machine, **said));
  return 0;
}
