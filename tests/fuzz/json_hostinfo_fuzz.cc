// SPDX-License-Identifier: BSD-3-Clause
// What any host reaches its peers as: bounded JSON without escapes that reads back as the same (API-77).
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/msg/clean.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ts2021;
  const auto own = decode_copy<Hostinfo>({data, size});
  if (!own) return 0;
  const Hostinfo seen = peer_view(*own);
  const std::string text = encoded(seen);
  TS_EXPECT(text.size() < 96 * 1024);
  TS_EXPECT(text.find('\\') == std::string::npos);
  TS_EXPECT(RawJson::parse(text));
  auto again = decode_copy<Hostinfo>(as_bytes(text));
  TS_EXPECT(again);
  again->raw = {};
  TS_EXPECT(encoded(*again) == text);
  TS_EXPECT(peer_view(*again) == peer_view(seen));
  TS_EXPECT(!concerns_peers(*own, *own));
  return 0;
}
