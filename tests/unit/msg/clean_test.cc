// SPDX-License-Identifier: BSD-3-Clause
// What a hostile node says of its host, and what its peers get of it.
#include "ts2021/msg/clean.h"

#include <string>

#include "json/reader.h"
#include "support/catch.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"

namespace ts2021 {
namespace {

bool has_null(const json::Value& value) {
  if (value.is_null()) return true;
  json::Value item;
  if (value.type() == json::Type::array)
    for (json::ArrayCursor items(value); items.next(item);)
      if (has_null(item)) return true;
  std::string_view name;
  if (value.type() == json::Type::object)
    for (json::ObjectCursor members(value); members.next(name, item);)
      if (has_null(item)) return true;
  return false;
}

// As the strictest client reads: JSON without a backslash and without null. Gives back the text.
std::string strict_map(const Hostinfo& own) {
  MapResponse map;
  map.peers.resize(2);
  map.peers[0].id = NodeId{1};
  map.peers[0].key = *NodePublic::parse("nodekey:" + std::string(64, '1'));
  map.peers[0].hostinfo = peer_view(own);
  map.peers[1].id = NodeId{2};
  map.peers[1].key = *NodePublic::parse("nodekey:" + std::string(64, '2'));
  for (const unsigned viewer : {26u, 100u, 148u}) {
    const std::string text = encoded(map, static_cast<Capability>(viewer));
    json::Document document;
    const auto root = document.parse_copy(as_bytes(text));
    REQUIRE(root);
    CHECK_FALSE(has_null(*root));
    CHECK(text.find('\\') == std::string::npos);
    const auto again = decode_copy<MapResponse>(as_bytes(text));
    REQUIRE(again);
    CHECK(again->peers.size() == 2);
    CHECK(encoded(*again, static_cast<Capability>(viewer)) == text);
  }
  return encoded(map);
}

Hostinfo host(std::string_view json) {
  const auto decoded = decode_copy<Hostinfo>(as_bytes(json));
  INFO(json.substr(0, 200));
  if (!decoded) FAIL(decoded.error());
  return *decoded;
}

TEST_CASE("clean: API-77 text needs no escape, is valid and short") {
  CHECK(clean_text("plain é世😀") == "plain é世😀");
  CHECK(clean_text("a\"b\\c\nd\te\x7f") == "a'b/c d e ");
  CHECK(clean_text(std::string_view("a\0b", 3)) == "a b");
  CHECK(clean_text("\xff\xc0\x80ok\xe4\xb8") == "ok");
  CHECK(clean_text("ééé", 5) == "éé");  // never half a character
  CHECK(clean_text("abc", 3) == "abc");
  CHECK(clean_text("abc", 2) == "ab");
  CHECK(clean_text(std::string(1 << 20, 'x')).size() == max_peer_text);
}

TEST_CASE("clean: API-77 routes lose host bits, repetitions and what is none") {
  const auto routes = [](std::initializer_list<const char*> texts) {
    std::vector<IpPrefix> out;
    for (const char* text : texts) out.push_back(*IpPrefix::parse(text));
    return out;
  };
  CHECK(clean_routes(routes({"10.1.2.3/8", "", "10.0.0.0/8", "fd00::1/64", "0.0.0.0/0", "10.9.9.9/8"})) ==
        routes({"10.0.0.0/8", "fd00::/64", "0.0.0.0/0"}));
  std::vector<IpPrefix> many;
  for (std::uint32_t i = 0; i < 2 * max_peer_routes; ++i) many.push_back(IpPrefix::host(IpAddress::v4(i)));
  CHECK(clean_routes(many).size() == max_peer_routes);
}

TEST_CASE("clean: API-77 the peer API keeps its place among too many services") {
  Hostinfo own;
  for (std::uint16_t port = 1; port <= 500; ++port)
    own.services.push_back({.proto = "tcp", .port = port, .description = std::string(1000, 'd')});
  own.services.push_back({.proto = "peerapi4", .port = 7, .description = {}});
  const auto services = peer_view(own).services;
  REQUIRE(services.size() == max_peer_services);
  CHECK(services.front().proto == "peerapi4");
  CHECK(services[1].port == 1);
  CHECK(services[1].description.size() == max_peer_service_text);
  own.services = {{"tcp", 1, "x"}, {"peerapi4", 2, {}}};
  CHECK(peer_view(own).services == own.services);
}

TEST_CASE("clean: API-77 SSH host keys are whole or absent") {
  Hostinfo own;
  own.ssh_host_keys = {"ssh-ed25519 AAAA", std::string(max_peer_ssh_key + 1, 'k'),
                       std::string(max_peer_ssh_key, 'k')};
  CHECK(peer_view(own).ssh_host_keys == std::vector<std::string>{own.ssh_host_keys[0], own.ssh_host_keys[2]});
  own.ssh_host_keys.assign(100, "k");
  CHECK(peer_view(own).ssh_host_keys.size() == max_peer_ssh_keys);
}

TEST_CASE("clean: API-77 hostile hosts do not break the maps of their peers") {
  const auto text = [](std::string_view json) { return strict_map(host(json)); };
  CHECK(text(R"({"Hostname":"a\"b\\c\u0000\n\u001f","OS":"\u007f"})").find(R"("Hostname":"a'b/c   ")") !=
        std::string::npos);
  CHECK(text(R"({"Hostname":null,"OS":null,"RoutableIPs":null,"Services":null,"sshHostKeys":null,
                 "Location":null,"NetInfo":null})")
            .find("Services") == std::string::npos);
  CHECK(text(R"({"Services":[{"Proto":"a\tb","Port":1,"Description":"\"\\"}]})").find(R"("Proto":"a b")") !=
        std::string::npos);
  CHECK(text(R"({"RoutableIPs":["10.1.2.3/8"]})").find("10.0.0.0/8") != std::string::npos);
  CHECK(text(R"({"Location":{"Country":"\\","City":"\n","Latitude":1e308}})").find(R"("Country":"/")") !=
        std::string::npos);
  CHECK(text(R"({"sshHostKeys":["a\nb"]})").find("a b") != std::string::npos);

  const std::string big(1 << 20, 'x');
  CHECK(text(R"({"Hostname":")" + big + R"(","OS":")" + big + R"(","Location":{"City":")" + big + R"("}})")
            .size() < 4096);
  std::string list;
  for (int i = 0; i < 20'000; ++i) list += R"({"Proto":"tcp","Port":9,"Description":"abc"},)";
  list.pop_back();
  CHECK(text(R"({"Services":[)" + list + "]}").size() < 16'384);

  // What nobody knows is skipped however it looks, and stays out of everybody's map.
  const std::string deep = std::string(60, '[') + std::string(60, ']');
  CHECK(text(R"({"Future":{"a":)" + deep + R"(,"b\\":null},"OS":"linux"})").find("Future") ==
        std::string::npos);
}

TEST_CASE("clean: API-77 what cannot be read at all never becomes a host") {
  const auto refused = [](std::string_view json) { return !decode_copy<MapRequest>(as_bytes(json)); };
  CHECK(refused("{\"Hostinfo\":{\"Hostname\":\"\xff\"}}"));          // no UTF-8
  CHECK(refused("{\"Hostinfo\":{\"Hostname\":\"\xed\xa0\x80\"}}"));  // half a surrogate pair
  CHECK(refused(R"({"Hostinfo":{"RoutableIPs":["10.0.0.0"]}})"));    // no length
  CHECK(refused(R"({"Hostinfo":{"RoutableIPs":["10.0.0.0/33"]}})"));
  CHECK(refused(R"({"Endpoints":["host:1"]})"));
  CHECK(refused(R"({"Hostinfo":{"Services":[{"Port":65536}]}})"));
  CHECK(refused(R"({"Hostinfo":{"F":)" + std::string(70, '[') + std::string(70, ']') + "}}"));
}

}  // namespace
}  // namespace ts2021
