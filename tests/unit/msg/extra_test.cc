// SPDX-License-Identifier: BSD-3-Clause
// Documents of people keep what our tables do not have.
#include <string>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

// Through our types and back.
template <class T>
std::string again(std::string_view json) {
  const auto message = decode_copy<T>(as_bytes(json));
  REQUIRE(message);
  return encoded(*message);
}

}  // namespace

TEST_CASE("TEST-30: a relay map keeps members that we don't know, at every level") {
  const std::string map =
      R"({"HomeParams":{"RegionScore":{"1":0.5},"Later":1},"Regions":{"1":{"RegionID":1,"RegionCode":"a",)"
      R"("RegionName":"A","Nodes":[{"Name":"1a","RegionID":1,"HostName":"h","NewPort":7,"x":null}],)"
      R"("Deep":{"er":[1,{"y":[]}]}}},"Zone":"eu","Plan":{}})";
  CHECK(again<DERPMap>(map) == map);
}

TEST_CASE("TEST-30: DNS settings, SSH policies, nodes and maps keep theirs") {
  const std::string dns =
      R"({"Resolvers":[{"Addr":"192.0.2.1","Why":"so"}],"ExtraRecords":[{"Name":"a","Value":"192.0.2.2",)"
      R"("TTL":60}],"TempCorpIssue13969":"t"})";
  CHECK(again<DNSConfig>(dns) == dns);
  const std::string ssh =
      R"({"rules":[{"principals":[{"any":true,"p":1}],"sshUsers":{"*":"="},"action":{"accept":true,)"
      R"("onRecordingFailure":{"NotifyURL":"https://x.test","f":1},"a":2},"r":3}],"s":4})";
  CHECK(again<SSHPolicy>(ssh) == ssh);
  const std::string map =
      R"({"PeersRemoved":[3],"Sharing":{"on":true},"DERPMap":{"New":1},"Domain2":"\"é\u0001"})";
  CHECK(again<MapResponse>(map) ==
        R"({"DERPMap":{"New":1},"PeersRemoved":[3],"Sharing":{"on":true},"Domain2":"\"é\u0001"})");
  const auto node = decode_copy<Node>(as_bytes(std::string_view(
      R"({"ID":1,"Odd \"name":[1, 2 , null],"CapMap":{"c":[{"any": 1}]},"Sway":1.50,"DataPlaneAuditLogID":"d"})")));
  REQUIRE(node);
  CHECK(node->extra.text() == R"({"Odd \"name":[1,2,null],"Sway":1.5,"DataPlaneAuditLogID":"d"})");
  const std::string text = encoded(*node);
  CHECK(text.ends_with(R"(,"Odd \"name":[1,2,null],"Sway":1.5,"DataPlaneAuditLogID":"d"})"));
  CHECK(decode_copy<Node>(as_bytes(text))->cap_map == node->cap_map);
}

TEST_CASE("TEST-30: known members in another spelling are not kept twice, and requests keep nothing") {
  const auto map =
      decode_copy<DERPMap>(as_bytes(std::string_view(R"({"regions":{},"OmitDefaultRegions":true})")));
  REQUIRE(map);
  CHECK(map->extra.empty());
  CHECK(map->omit_default_regions);
  CHECK(*map != *decode_copy<DERPMap>(
                    as_bytes(std::string_view(R"({"regions":{},"OmitDefaultRegions":true,"more":1})"))));
  CHECK(again<RegisterRequest>(R"({"Version":1,"New":2})").find("New") == std::string::npos);
}

}  // namespace ts2021
