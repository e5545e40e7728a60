// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/hostinfo.h"

#include <filesystem>
#include <string>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/map_request.h"

namespace ts2021 {
namespace {

TEST_CASE("hostinfo: API-69 peers see no log ids, networks, tokens or devices") {
  // Every member there is, so that a new one has to be decided about here.
  const std::string_view all =
      R"({"IPNVersion":"v","FrontendLogID":"f","BackendLogID":"b","OS":"linux","OSVersion":"6","Container":true,
          "Env":"e","Distro":"d","DistroVersion":"dv","DistroCodeName":"dc","App":"a","Desktop":true,"Package":"p",
          "DeviceModel":"m","PushDeviceToken":"secret","Hostname":"h","ShieldsUp":true,"ShareeNode":true,
          "NoLogsNoSupport":true,"RemoteConfig":true,"WireIngress":true,"IngressEnabled":true,"AllowsUpdate":true,
          "Machine":"x86","GoArch":"amd64","GoArchVar":"v1","GoVersion":"go","RoutableIPs":["10.0.0.0/8"],
          "RequestTags":["tag:a"],"WoLMACs":["aa"],"Services":[{"Proto":"peerapi4","Port":1}],
          "NetInfo":{"PreferredDERP":5},"sshHostKeys":["k"],"Cloud":"c","Userspace":true,"UserspaceRouter":true,
          "AppConnector":true,"ServicesHash":"s","PeerRelay":true,"ExitNodeID":"n","Location":{"City":"X"},
          "TPM":{"Vendor":"t"},"StateEncrypted":true})";
  const auto own = decode_copy<Hostinfo>(as_bytes(all));
  REQUIRE(own);
  CHECK(encoded(peer_view(*own)) ==
        R"({"OS":"linux","Hostname":"h","ShareeNode":true,"WireIngress":true,"IngressEnabled":true,)"
        R"("RoutableIPs":["10.0.0.0/8"],"Services":[{"Proto":"peerapi4","Port":1}],"sshHostKeys":["k"],)"
        R"("AppConnector":true,"PeerRelay":true,"Location":{"City":"X"}})");
  CHECK(peer_view(*own).raw.empty());
  std::size_t members = 0;
  for (const char c : encoded(*own)) members += c == ':';
  CHECK(members == 43 + 5 + 1);  // all members, those of the inner objects, and the colon of "tag:a"
}

TEST_CASE("hostinfo: API-69 no recorded client's secrets reach its peers") {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(test::vector_path("msg/captures"))) {
    if (entry.path().filename().string().find("map-req") == std::string::npos) continue;
    const auto request = decode_copy<MapRequest>(test::read_file(entry.path().string()));
    REQUIRE(request);
    const std::string json = encoded(peer_view(*request->hostinfo));
    for (const char* name : {"LogID", "NetInfo", "Token", "OSVersion", "Distro", "GoVersion", "IPNVersion"})
      CHECK(json.find(name) == std::string::npos);
    ++seen;
  }
  CHECK(seen > 50);
}

TEST_CASE("hostinfo: which changes concern peers") {
  Hostinfo before;
  before.net_info.emplace().preferred_derp = 1;
  Hostinfo after = before;
  CHECK_FALSE(concerns_peers(before, after));
  after.net_info->derp_latency["1-v4"] = 0.2;
  after.os_version = "7";
  after.backend_log_id = "x";
  CHECK_FALSE(concerns_peers(before, after));
  after.net_info.reset();  // unchanged
  CHECK_FALSE(concerns_peers(before, after));
  after.net_info.emplace().preferred_derp = 2;
  CHECK(concerns_peers(before, after));
  after = before;
  after.hostname = "new";
  CHECK(concerns_peers(before, after));
  after = before;
  after.services.push_back({.proto = "peerapi4", .port = 1, .description = {}});
  CHECK(concerns_peers(before, after));
  after = before;
  after.request_tags = {"tag:x"};
  CHECK(concerns_peers(before, after));
}

}  // namespace
}  // namespace ts2021
