// SPDX-License-Identifier: BSD-3-Clause
// A capture that somebody has edited. What reads is written the same again, and the rest is an error.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/fuzz.h"
#include "ts2021/capture/comparison.h"
#include "ts2021/capture/conversation.h"
#include "ts2021/capture/recorder.h"
#include "ts2021/capture/translation.h"

using namespace ts2021;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all = as_text({data, size});
  CaptureAssembler assembler;
  std::vector<CaptureLine> made;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    if (auto line = parse_capture_line(as_bytes(all.substr(at, end - at)))) {
      const std::string once = text(*line);
      const auto again = parse_capture_line(as_bytes(once));
      TS_EXPECT(again && text(*again) == once);
      assembler.take(*std::move(line), made);
    }
    at = end + 1;
  }
  const auto read = Conversation::read(all);
  if (!read) return 0;
  fuzz::SameEntropy entropy;
  Translation translation;
  for (const CapturedExchange& exchange : read->exchanges) {
    TS_EXPECT(exchange.answered == CapturedExchange::never || exchange.answered >= exchange.asked);
    const std::string body = translation.apply(as_text(exchange.request.body), &entropy);
    translation.add_keys(exchange.request.body, as_bytes(body));
    Comparison same;
    same.recorded = same.seen = kind_of_answer(exchange);
    same.compare();
    TS_EXPECT(same.differences.empty());
    TS_EXPECT(!text(same).empty() && !json_text(same).empty());
  }
  return 0;
}
