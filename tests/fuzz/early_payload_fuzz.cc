// SPDX-License-Identifier: BSD-3-Clause
// The front of the server's plaintext. Byte 0: the size of the parts, on which nothing may depend.
#include <algorithm>
#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/entry/early_payload.h"

using namespace ts2021;
using namespace ts2021::entry;

namespace {

std::string run(Bytes input, std::size_t part) {
  EarlyPayloadReader reader(2000);
  std::string rest;
  for (; !input.empty(); input = input.subspan(std::min(part, input.size()))) {
    const Bytes now = input.first(std::min(part, input.size()));
    const auto used = reader.feed(now);
    if (!used) {
      TS_EXPECT(!reader.done());
      return "error " + std::to_string(used.error().origin);
    }
    TS_EXPECT(*used <= now.size());
    TS_EXPECT(reader.done() || *used == now.size());
    rest += as_text(now.subspan(*used));
  }
  TS_EXPECT(reader.bytes().size() <= 2000);
  if (!reader.done()) return "more";
  return (reader.present() ? "json " : "none ") + std::string(as_text(reader.bytes())) + rest;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes input(data + 1, size - 1);
  TS_EXPECT(run(input, size) == run(input, std::size_t{1} + data[0] % 16));
  return 0;
}
