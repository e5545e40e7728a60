// SPDX-License-Identifier: BSD-3-Clause
// Differential: a message read in place and from a copy is the same, spaces and the order of reading change
// nothing, and downlevelling for any version leaves something that decodes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "ts2021/msg/downlevel.h"
#include "ts2021/msg/map_response.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ts2021;
  const Bytes json(data, size);
  const auto copied = decode_copy<MapResponse>(json);
  std::string padded(as_text(json));
  padded.append(decode_padding, '"');
  const auto in_place = decode<MapResponse>(as_bytes(padded).first(size));
  if (copied.has_value() != in_place.has_value()) std::abort();
  if (!copied) return copied.error() == in_place.error() ? 0 : (std::abort(), 0);
  if (!(*copied == *in_place)) std::abort();
  const auto spaced = RawJson::parse(as_text(json));
  if (!spaced) std::abort();
  const auto minified = decode_copy<MapResponse>(as_bytes(spaced->text()));
  if (!minified || encoded(*minified) != encoded(*copied)) std::abort();
  for (const unsigned number : {26u, 35u, 60u, 80u, 100u, 110u, 148u}) {
    const auto viewer = static_cast<Capability>(number);
    MapResponse fitted = *copied;
    downlevel(fitted, viewer);
    MapResponse twice = fitted;
    downlevel(twice, viewer);
    if (encoded(fitted, viewer) != encoded(twice, viewer)) std::abort();
    if (!decode_copy<MapResponse>(as_bytes(encoded(fitted, viewer)))) std::abort();
  }
  return 0;
}
