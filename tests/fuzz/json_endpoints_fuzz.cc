// SPDX-License-Identifier: BSD-3-Clause
// The same bytes as every message of its list.
#include <cstddef>
#include <cstdint>

#include "fuzz/every_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ts2021::fuzz::check_all<ts2021::fuzz::EndpointMessages>({data, size});
  return 0;
}
