// SPDX-License-Identifier: BSD-3-Clause
// Everything that real clients and the reference said decodes, and what we write of it means the same.
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "canonical.h"
#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/server_key.h"

namespace ts2021 {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) { return test::string(test::read_file(path.string())); }

template <class T>
T decoded(const std::string& text) {
  auto message = decode_copy<T>(as_bytes(text));
  INFO(text);
  if (!message) FAIL(message.error());
  return *message;
}

std::string without(std::string text, std::string_view part, std::string_view instead = {}) {
  if (const auto at = text.find(part); at != std::string::npos) text.replace(at, part.size(), instead);
  return text;
}

// Where we mean to differ: nobody reads User.Logins any more, API-67, and API-65.
template <class T>
std::string expected(const T&, std::string text) {
  return without(std::move(text), R"(A <&> \"é\")", "A <&> 'é'");
}
template <>
std::string expected(const RegisterResponse& message, std::string text) {
  text = without(std::move(text), R"(,"logins":[1])");
  return message.auth_url.empty() ? text : without(std::move(text), R"("machineauthorized":true,)");
}

template <class T>
void round_trip(const std::string& text, Capability viewer) {
  const T message = decoded<T>(text);
  const std::string written = encoded(message, viewer);
  INFO(text);
  CHECK(test::canonical(written) == expected(message, test::canonical(text)));
  T again = decoded<T>(written);
  if constexpr (requires { again.hostinfo->raw; }) {  // which tells the spelling of the original
    if (again.hostinfo) again.hostinfo->raw = message.hostinfo->raw;
    CHECK(again == message);
  }
  CHECK(encoded(again, viewer) == written);
}

TEST_CASE("vectors: API-62 API-63 every recorded message decodes and keeps its meaning") {
  std::map<std::string, int> count;
  for (const auto& entry : fs::recursive_directory_iterator(test::vector_path("msg/captures"))) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path());
    const std::string name = entry.path().filename().string(), text = text_of(entry.path());
    if (name.find("register-req") != std::string::npos) {
      ++count["register-req"];
      round_trip<RegisterRequest>(text, any_capability);
      const auto request = decoded<RegisterRequest>(text);
      CHECK_FALSE(request.node_key.is_zero());
      REQUIRE(request.hostinfo);
      CHECK_FALSE(request.hostinfo->ipn_version.empty());
      CHECK(test::canonical(request.hostinfo->raw.text()) == test::canonical(encoded(*request.hostinfo)));
    } else if (name.find("register-res") != std::string::npos) {
      ++count["register-res"];
      round_trip<RegisterResponse>(text, any_capability);
    } else if (name.find("map-req") != std::string::npos) {
      ++count["map-req"];
      round_trip<MapRequest>(text, any_capability);
      const auto request = decoded<MapRequest>(text);
      CHECK_FALSE(request.node_key.is_zero());
      CHECK(request.version != Capability{});
      REQUIRE(request.hostinfo);
      CHECK_FALSE(request.hostinfo->hostname.empty());
    } else if (name.find("map-res") != std::string::npos) {
      ++count["map-res"];
      round_trip<MapResponse>(text, newest_capability);
    } else if (name.find("other-req") != std::string::npos) {
      ++count["other"];
      round_trip<HealthChangeRequest>(text, any_capability);
    } else {
      FAIL("a file of an unknown kind");
    }
  }
  CHECK(count["register-req"] > 30);
  CHECK(count["register-res"] > 10);
  CHECK(count["map-req"] > 50);
  CHECK(count["map-res"] > 40);
  CHECK(count["other"] > 0);
}

TEST_CASE("vectors: what the recordings say is in the members") {
  const auto path = [](const char* name) { return fs::path(test::vector_path("msg/captures")) / name; };
  const auto old_login = decoded<RegisterRequest>(text_of(path("ts2019-v1.20.4/002-register-req.json")));
  CHECK(old_login.version == Capability{1});
  REQUIRE(old_login.auth);
  CHECK(old_login.auth->auth_key == "zoo-auth-key-123");

  const auto login = decoded<RegisterRequest>(text_of(path("v1.98.1/003-register-req.json")));
  CHECK(login.version == Capability{138});
  CHECK(login.expiry.is_zero());
  CHECK_FALSE(login.nl_key.is_zero());
  CHECK(login.hostinfo->os == "linux");
  CHECK(login.hostinfo->userspace == OptBool(true));

  const auto rust = decoded<RegisterRequest>(text_of(path("tailscale-rs/003-register-req.json")));
  CHECK(rust.version == Capability{130});
  REQUIRE(rust.hostinfo);
  CHECK_FALSE(rust.hostinfo->app.empty());
  CHECK_FALSE(rust.hostinfo->ipn_version.empty());  // API-62: written IpnVersion

  bool rust_net_info = false;
  for (const auto& entry : fs::directory_iterator(path("tailscale-rs"))) {
    if (entry.path().filename().string().find("map-req") == std::string::npos) continue;
    const auto request = decoded<MapRequest>(text_of(entry.path()));
    REQUIRE(request.hostinfo);  // API-62: written HostInfo
    if (!request.hostinfo->net_info) continue;
    rust_net_info = true;
    CHECK(request.hostinfo->net_info->preferred_derp != 0);
    CHECK_FALSE(request.hostinfo->net_info->derp_latency.empty());
    CHECK(request.omit_peers);
  }
  CHECK(rust_net_info);

  bool endpoints = false, first_map = false;
  for (const auto& entry : fs::directory_iterator(path("v1.98.1"))) {
    const std::string name = entry.path().filename().string();
    if (name.find("map-req") != std::string::npos) {
      const auto request = decoded<MapRequest>(text_of(entry.path()));
      CHECK(request.compress == "zstd");
      CHECK(request.keep_alive);
      endpoints |= !request.endpoints.empty() && request.endpoints.size() == request.endpoint_types.size();
    } else if (name.find("map-res") != std::string::npos) {
      const auto response = decoded<MapResponse>(text_of(entry.path()));
      if (response.node && response.derp_map && !response.peers.empty()) {
        first_map = true;
        CHECK(response.node->addresses.size() == 2);
        CHECK(response.node->addresses[0].is_host());
        CHECK(response.derp_map->regions->at(1).nodes.size() == 1);
        CHECK(response.packet_filter.has_value() != response.packet_filters.contains("base"));
      }
    }
  }
  CHECK(endpoints);
  CHECK(first_map);
}

TEST_CASE("vectors: the samples of the API specification") {
  const std::map<std::string, std::function<void(const std::string&)>> types{
      {"DERPAdmitClientRequest",
       [](const std::string& text) { round_trip<DERPAdmitClientRequest>(text, any_capability); }},
      {"MapRequest", [](const std::string& text) { round_trip<MapRequest>(text, any_capability); }},
      {"OverTLSPublicKeyResponse",
       [](const std::string& text) { round_trip<ServerKey>(text, any_capability); }},
      {"PingResponse", [](const std::string& text) { round_trip<PingResponse>(text, any_capability); }},
      {"RegisterRequest", [](const std::string& text) { round_trip<RegisterRequest>(text, any_capability); }},
      {"RegisterResponse",
       [](const std::string& text) { round_trip<RegisterResponse>(text, any_capability); }},
      {"SetDNSRequest", [](const std::string& text) { round_trip<SetDNSRequest>(text, any_capability); }},
      // The last version that knows every member of the samples.
      {"MapResponse", [](const std::string& text) { round_trip<MapResponse>(text, Capability{130}); }},
  };
  std::set<std::string> seen;
  for (const auto& entry : fs::recursive_directory_iterator(test::vector_path("msg/samples"))) {
    if (entry.path().extension() != ".json") continue;
    INFO(entry.path());
    const std::string type = entry.path().parent_path().filename().string();
    seen.insert(type);
    types.at(type)(text_of(entry.path()));
  }
  CHECK(seen.size() == types.size());
}

}  // namespace
}  // namespace ts2021
