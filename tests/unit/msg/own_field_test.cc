// SPDX-License-Identifier: BSD-3-Clause
// A message of one's own and a field in it, as lib/ARCHITECTURE.md quotes them.
#include "msg/codec_impl.h"
#include "support/catch.h"

namespace ts2021 {

struct DoorbellRequest {
  NodePublic node_key;
  std::string door;
  std::optional<int> rings;
};
constexpr auto fields(const DoorbellRequest*) {
  return std::tuple{always<"NodeKey", &DoorbellRequest::node_key>, Field<"Door", &DoorbellRequest::door>{},
                    Field<"Rings", &DoorbellRequest::rings>{.since = Capability::node_cap_map}};
}

TS_MESSAGE(DoorbellRequest);

namespace {

TEST_CASE("own field: a line of the table reads it, writes it and keeps it from older clients") {
  const std::string key = "nodekey:" + std::string(64, 'a');
  const auto request = decode_copy<DoorbellRequest>(as_bytes(R"({"NodeKey":")" + key + R"(","rings":2})"));
  REQUIRE(request);
  CHECK(request->rings == 2);
  CHECK(encoded(*request, Capability{73}) == R"({"NodeKey":")" + key + R"("})");
  CHECK(encoded(*request, Capability{74}) == R"({"NodeKey":")" + key + R"(","Rings":2})");
  CHECK_FALSE(decode_copy<DoorbellRequest>(as_bytes(std::string_view(R"({"Rings":"2"})"))));
}

}  // namespace
}  // namespace ts2021
