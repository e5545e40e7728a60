// SPDX-License-Identifier: BSD-3-Clause
#include <cstddef>
#include <cstdint>

#include "fuzz/message_fuzz.h"
#include "ts2021/msg/map_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ts2021::Bytes json(data, size);
  ts2021::fuzz::check_stable<ts2021::MapRequest>(json);
  return 0;
}
