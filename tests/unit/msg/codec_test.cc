// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/msg/codec.h"

#include <string>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/msg/early_noise.h"
#include "ts2021/msg/endpoint.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/map_response.h"
#include "ts2021/msg/register.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/msg/ssh.h"
#include "ts2021/msg/tka.h"

namespace ts2021 {
namespace {

template <class T>
Result<T> from(std::string_view json) {
  return decode_copy<T>(as_bytes(json));
}
template <class T>
Error error_of(std::string_view json) {
  INFO(json);
  const auto message = from<T>(json);
  REQUIRE_FALSE(message);
  return message.error();
}

const std::string hex64 = "abababababababababababababababababababababababababababababababab";

TEST_CASE("codec: API-62 names match exactly, then without regard to case") {
  const auto request = from<MapRequest>(
      R"({"version":7,"HOSTINFO":{"IpnVersion":"1","Os":"o","OsVersion":"v","RoutableIps":["10.0.0.0/8"],
          "SshHostKeys":["k"],"ExitNodeId":"e","NetInfo":{"WorkingIpv6":true,"PreferredDerp":9,
          "DerpLatency":{"9-v4":0.5},"Upnp":true,"Pmp":false,"Pcp":null}},"Nodekey":null})");
  REQUIRE(request);
  CHECK(request->version == Capability{7});
  REQUIRE(request->hostinfo);
  const Hostinfo& host = *request->hostinfo;
  CHECK(host.ipn_version == "1");
  CHECK(host.os == "o");
  CHECK(host.os_version == "v");
  CHECK(host.routable_ips.size() == 1);
  CHECK(host.ssh_host_keys == std::vector<std::string>{"k"});
  CHECK(host.exit_node_id == "e");
  REQUIRE(host.net_info);
  CHECK(host.net_info->working_ipv6 == OptBool(true));
  CHECK(host.net_info->preferred_derp == 9);
  CHECK(host.net_info->derp_latency.at("9-v4") == 0.5);
  CHECK(host.net_info->upnp == OptBool(true));
  CHECK(host.net_info->pmp == OptBool(false));
  CHECK(host.net_info->pcp == OptBool());
}

TEST_CASE("codec: API-63 unknown members, null and repeated names") {
  const auto response = from<MapResponse>(
      R"({"New":{"deep":[1,{"x":null}]},"Node":null,"Peers":null,"Health":null,"Domain":"a","Domain":"b",
          "PacketFilter":[],"PacketFilters":{"*":null,"base":[]},"Debug":{"Exit":null},"ControlTime":null})");
  REQUIRE(response);
  CHECK_FALSE(response->node);
  CHECK(response->peers.empty());
  CHECK_FALSE(response->health);
  CHECK(response->domain == "b");
  REQUIRE(response->packet_filter);
  CHECK(response->packet_filter->empty());
  CHECK(response->packet_filters.size() == 2);
  CHECK_FALSE(response->packet_filters.at("*"));
  CHECK(response->packet_filters.at("base"));
  CHECK_FALSE(response->debug->exit);
  CHECK(response->control_time.is_zero());
  CHECK(from<MapResponse>("null"));
  CHECK(from<EarlyNoise>("null")->node_key_challenge.is_zero());
  CHECK(from<EarlyNoise>("{}")->node_key_challenge.is_zero());
  CHECK(from<MapRequest>(R"({"Endpoints":["1.2.3.4:5"],"Endpoints":null})")->endpoints.empty());
  CHECK(from<MapRequest>(R"({"Endpoints":["1.2.3.4:5"],"Endpoints":["5.6.7.8:9"]})")->endpoints.size() == 1);
}

TEST_CASE("codec: a wrong type names the member and fails the whole") {
  CHECK(error_of<MapRequest>("[]") == fail(Errc::bad_json, 801, 0));
  CHECK(error_of<MapRequest>("7") == fail(Errc::bad_json, 801, 0));
  CHECK(error_of<MapRequest>(R"({"Version":"7"})") == fail(Errc::bad_json, 801, 1));
  CHECK(error_of<MapRequest>(R"({"Version":1,"Compress":1})") == fail(Errc::bad_json, 801, 2));
  CHECK(error_of<MapRequest>(R"({"Hostinfo":{"NetInfo":{"PreferredDERP":"9"}}})") ==
        fail(Errc::bad_json, 801, 10));
  for (const char* json : {R"({"Version":-1})",
                           R"({"Version":65536})",
                           R"({"Version":1.0})",
                           R"({"Version":1e2})",
                           R"({"Version":true})",
                           R"({"KeepAlive":1})",
                           R"({"KeepAlive":"true"})",
                           R"({"NodeKey":""})",
                           R"({"NodeKey":"nodekey:12"})",
                           R"({"DiscoKey":"nodekey:)",
                           R"({"NodeKey":5})",
                           R"({"Endpoints":{}})",
                           R"({"Endpoints":["host:1"]})",
                           R"({"Endpoints":[1]})",
                           R"({"EndpointTypes":["1"]})",
                           R"({"EndpointTypes":[2147483648]})",
                           R"({"MapSessionSeq":1.5})",
                           R"({"Hostinfo":[]})",
                           R"({"Hostinfo":{"Services":[{"Port":65536}]}})",
                           R"({"Hostinfo":{"Services":[5]}})",
                           R"({"Hostinfo":{"RoutableIPs":["10.0.0.0"]}})",
                           R"({"Hostinfo":{"NetInfo":{"DERPLatency":{"a":"b"}}}})",
                           R"({"HardwareAttestationKeySignature":"%"})",
                           R"({"HardwareAttestationKey":"hwattestpub:zz"})",
                           R"({"HardwareAttestationKeySignatureTimestamp":""})"}) {
    INFO(json);
    CHECK(error_of<MapRequest>(json).code == Errc::bad_json);
  }
  for (const char* json :
       {R"({"OnlineChange":{"x":true}})", R"({"OnlineChange":{"-1":true}})",
        R"({"OnlineChange":{"1 ":true}})", R"({"OnlineChange":{"":true}})",
        R"({"OnlineChange":{"18446744073709551616":true}})", R"({"OnlineChange":{"1":null,"2":1}})",
        R"({"PeersRemoved":[-1]})", R"({"Node":{"CapMap":{"a":5}}})", R"({"Node":{"CapMap":["a"]}})",
        R"({"DERPMap":{"Regions":{"a":{}}}})", R"({"PingRequest":{"Payload":"a"}})",
        R"({"PingRequest":{"IP":"1.2.3"}})", R"({"Node":{"Created":"yesterday"}})"}) {
    INFO(json);
    CHECK(error_of<MapResponse>(json).code == Errc::bad_json);
  }
}

TEST_CASE("codec: hostile text") {
  const auto refused = [](std::string_view json) {
    return error_of<RegisterRequest>(json) ==
           fail(Errc::bad_json, 503, error_of<RegisterRequest>(json).detail);
  };
  std::string deep = R"({"Hostinfo":)";
  for (int i = 0; i < 1000; ++i) deep += R"({"x":[)";
  CHECK(refused(deep));
  CHECK(refused(R"({"Version":123456789012345678901234567890})"));
  CHECK(refused("{\"Followup\":\"\xff\"}"));
  CHECK(refused("{\"Followup\":\"\xed\xa0\x80\"}"));
  CHECK(refused("{\"Fol\xffowup\":\"\"}"));
  CHECK(refused(""));
  CHECK(refused(std::string_view("\0\0\0\0", 4)));
  CHECK(refused("{\"Followup\":\"a\0\"}"));
  const auto zero = from<RegisterRequest>(R"({"Followup":"a\u0000b"})");
  REQUIRE(zero);
  CHECK(zero->followup == std::string_view("a\0b", 3));
}

TEST_CASE("codec: memory is bounded by the input") {
  // Empty objects, each of which would become hundreds of bytes.
  std::string many = R"({"Peers":[{})";
  for (int i = 0; i < 300'000; ++i) many += ",{}";
  many += "]}";
  CHECK(error_of<MapResponse>(many) == fail(Errc::limit_exceeded, 800, 8));
  std::string names = R"({"OnlineChange":{"0":true)";
  for (int i = 1; i < 100'000; ++i) names += ",\"" + std::to_string(i) + "\":true";
  CHECK(from<MapResponse>(names + "}}")->online_change.size() == 100'000);  // honest: its own size is enough
  std::string endpoints = R"({"Endpoints":["")";
  for (int i = 0; i < 100'000; ++i) endpoints += ",\"\"";
  CHECK(from<MapRequest>(endpoints + "]}")->endpoints.size() == 100'001);
}

TEST_CASE("codec: padded bytes are read in place") {
  std::string text = R"({"Version":138,"NodeKey":"nodekey:)" + hex64 + "\"}";
  const std::size_t size = text.size();
  text.append(decode_padding, '}');
  const auto request = decode<RegisterRequest>(as_bytes(text).first(size));
  REQUIRE(request);
  CHECK(request->version == Capability{138});
  CHECK(request->node_key.text() == "nodekey:" + hex64);
  CHECK_FALSE(decode<RegisterRequest>(as_bytes(text).first(size - 1)));
  CHECK_FALSE(decode<RegisterRequest>(as_bytes(text).first(size + 1)));
}

TEST_CASE("codec: API-67 a register answer is always whole") {
  CHECK(encoded(RegisterResponse{}) ==
        R"({"User":{"ID":0,"DisplayName":""},"Login":{"ID":0,"Provider":"","LoginName":"","DisplayName":""},)"
        R"("NodeKeyExpired":false,"MachineAuthorized":false,"AuthURL":"","Error":""})");
  RegisterResponse response;
  response.machine_authorized = true;
  CHECK(encoded(response).find(R"("MachineAuthorized":true)") != std::string::npos);
  response.error = "no";
  CHECK(encoded(response).find(R"("MachineAuthorized":false)") != std::string::npos);
  response.error.clear();
  response.auth_url = "https://c/a";
  CHECK(encoded(response).find(R"("MachineAuthorized":false)") != std::string::npos);
  response.node_key_signature.bytes = {1, 2, 3};
  CHECK(encoded(response).find(R"("NodeKeySignature":"AQID")") != std::string::npos);
  CHECK(encoded(response, Capability{46}).find("NodeKeySignature") == std::string::npos);
}

TEST_CASE("codec: what is written when everything is zero") {
  const std::string zeros(64, '0');
  CHECK(encoded(ServerKey{}) ==
        R"({"legacyPublicKey":"mkey:)" + zeros + R"(","publicKey":"mkey:)" + zeros + "\"}");
  CHECK(encoded(EarlyNoise{}) == "{}");
  CHECK(encoded(MapResponse{}) == "{}");
  CHECK(encoded(MapRequest{}) ==
        R"({"Version":0,"NodeKey":"nodekey:)" + zeros + R"(","DiscoKey":"discokey:)" + zeros + "\"}");
  CHECK(encoded(RegisterRequest{}) == R"({"Version":0,"NodeKey":"nodekey:)" + zeros +
                                          R"(","OldNodeKey":"nodekey:)" + zeros + R"(","NLKey":"nlpub:)" +
                                          zeros + R"(","Expiry":"0001-01-01T00:00:00Z","Followup":""})");
  CHECK(encoded(Node{}) ==
        R"({"ID":0,"StableID":"","Name":"","User":0,"Key":"nodekey:)" + zeros + R"(","Addresses":[]})");
  CHECK(encoded(FilterRule{}) == R"({"SrcIPs":[]})");
  CHECK(encoded(DERPMap{}) == "{}");
  CHECK(encoded(DERPRegion{}) == R"({"RegionID":0,"RegionCode":"","RegionName":"","Nodes":[]})");
  CHECK(encoded(PingRequest{}) == R"({"URL":"","URLIsNoise":false,"Types":""})");
  CHECK(encoded(SSHPolicy{}) == R"({"rules":[]})");
  CHECK(encoded(ControlDialPlan{}) == R"({"Candidates":[]})");
  CHECK(encoded(EmptyResponse{}) == "{}");
  CHECK(encoded(DERPAdmitClientResponse{}) == R"({"Allow":false})");
  CHECK(encoded(HealthChangeRequest{}) == R"({"Subsys":"","Error":"","NodeKey":"nodekey:)" + zeros + "\"}");
  CHECK(encoded(SetDeviceAttributesRequest{}) ==
        R"({"Version":0,"NodeKey":"nodekey:)" + zeros + R"(","Update":{}})");
}

TEST_CASE("codec: an early payload fits and has the size of the original") {
  EarlyNoise early;
  early.node_key_challenge = *ChallengePublic::parse("chalpub:" + hex64);
  CHECK(encoded(early) == R"({"nodeKeyChallenge":"chalpub:)" + hex64 + "\"}");
  CHECK(encoded(early).size() == 95);
}

TEST_CASE("codec: API-64 no null but in maps, and nothing that a client can't read") {
  MapResponse response;
  response.peers.resize(2);
  response.peers[1].id = NodeId{5};
  response.peers[1].key = *NodePublic::parse("nodekey:" + hex64);
  response.peers[1].cap_map = {{"a", {}}, {"b", {RawJson{}, *RawJson::parse("[1]")}}};
  response.peers[1].endpoints = {IpPort{}, *IpPort::parse("1.2.3.4:5"), *IpPort::parse("[fe80::1%en0]:6")};
  response.peers_changed_patch.resize(1);
  response.user_profiles.resize(1);
  response.packet_filters = {{"*", std::nullopt}, {"base", std::vector<FilterRule>(1)}};
  response.dns_config.emplace().routes = {{"example.test", {}}};
  response.health.emplace();
  response.node.emplace();  // without an id
  CHECK(encoded(response, Capability{100}) ==
        R"({"Peers":[{"ID":5,"StableID":"","Name":"","User":0,"Key":"nodekey:)" + hex64 +
            R"(","Addresses":[],"Endpoints":["1.2.3.4:5"],"CapMap":{"a":[],"b":[null,[1]]}}],)" +
            R"("DNSConfig":{"Routes":{"example.test":[]}},)" +
            R"("PacketFilters":{"*":null,"base":[]},"Health":[]})");
  response.peers.resize(1);  // "Peers":[] would remove them all
  CHECK(encoded(response, Capability{100}).find("\"Peers\"") == std::string::npos);
}

TEST_CASE("codec: API-65 names carry nothing that needs an escape") {
  UserProfile profile;
  profile.id = UserId{1};
  profile.login_name = "a\\b@example.test";
  profile.display_name = "Al \"é\" <b>\n\x01";
  CHECK(encoded(profile) == R"({"ID":1,"LoginName":"a/b@example.test","DisplayName":"Al 'é' <b>  "})");
  profile.display_name = "\xff";
  CHECK(encoded(profile) == "{\"ID\":1,\"LoginName\":\"a/b@example.test\",\"DisplayName\":\"\xef\xbf\xbd\"}");
  SSHAction action;
  action.message = "# \"wait\"\n";
  CHECK(encoded(action) == R"({"message":"# \"wait\"\n"})");
}

TEST_CASE("codec: a picture that is no absolute URL is left out") {
  UserProfile profile;
  const auto has_picture = [&](const char* url) {
    profile.profile_pic_url = url;
    return encoded(profile).find("ProfilePicURL") != std::string::npos;
  };
  CHECK(has_picture("https://example.test/a.png"));
  for (const char* url :
       {"", "/a.png", "example.test/a.png", "://x", "https://", "https://a b", "https://a\"b"}) {
    INFO(url);
    CHECK_FALSE(has_picture(url));
  }
}

TEST_CASE("codec: API-66 prefixes are written without host bits") {
  Node node;
  node.addresses = {*IpPrefix::parse("100.64.0.1/32")};
  node.allowed_ips.emplace() = {*IpPrefix::parse("10.1.2.3/8"), IpPrefix{}};
  const std::string json = encoded(node);
  CHECK(json.find(R"("Addresses":["100.64.0.1/32"],"AllowedIPs":["10.0.0.0/8"])") != std::string::npos);
}

TEST_CASE("codec: API-68 a rule that a client can't parse is left out") {
  const auto rules = [](FilterRule rule) {
    MapResponse response;
    response.packet_filter.emplace().push_back(std::move(rule));
    return encoded(response, Capability{80});
  };
  const std::string none = R"({"PacketFilter":[]})";
  CHECK(rules(allow_all_rule()) ==
        R"({"PacketFilter":[{"SrcIPs":["*"],"DstPorts":[{"IP":"*","Ports":{"First":0,"Last":65535}}]}]})");
  FilterRule rule = allow_all_rule();
  for (const char* source :
       {"100.64.0.1", "100.64.0.0/10", "1.2.3.4-1.2.3.9", "::1", "2001:db8::/32", "cap:x"}) {
    INFO(source);
    rule.src_ips = {source};
    CHECK(rules(rule) != none);
    CHECK(valid(rule));
  }
  for (const char* source : {"", "alice", "100.64.0.1/10", "1.2.3.9-1.2.3.4", "1.2.3.4-::1",
                             "cap:", "fe80::1%a", "1.2.3.4/", "**"}) {
    INFO(source);
    rule.src_ips = {source};
    CHECK(rules(rule) == none);
  }
  rule = allow_all_rule();
  rule.cap_grant.resize(1);
  CHECK(rules(rule) == none);  // both
  rule.dst_ports.clear();
  CHECK(rules(rule) != none);
  MapResponse old;
  old.packet_filter.emplace().push_back(rule);
  CHECK(encoded(old, Capability{31}) == none);
  rule.cap_grant.clear();
  CHECK(rules(rule) == none);  // neither
  rule = allow_all_rule();
  rule.dst_ports[0].ip = "10.0.0.1/8";
  CHECK(rules(rule) == none);
  rule = allow_all_rule();
  rule.dst_ports.push_back({.ip = "nonsense", .ports = {}});
  CHECK(rules(rule) == rules(allow_all_rule()));
  rule = allow_all_rule();
  rule.dst_ports[0].ports = {.first = 5, .last = 4};
  CHECK(rules(rule) == none);
  rule = allow_all_rule();
  rule.ip_proto = {6, 256};
  CHECK(rules(rule) == none);
}

TEST_CASE("codec: hostinfo keeps what it does not know") {
  const auto host = from<Hostinfo>(R"({ "OS":"linux", "Future":{"a":[1.50,"\u00e9"]}, "Services":[] })");
  REQUIRE(host);
  CHECK(host->raw.text() == R"({"OS":"linux","Future":{"a":[1.5,"é"]},"Services":[]})");
  CHECK(encoded(*host) == R"({"OS":"linux"})");
  const std::string escaped = R"({"OS":"a\"b","Fu\"ture":["\\","\n\u0001"]})";
  CHECK(from<Hostinfo>(escaped)->raw.text() == escaped);
  const std::string plain = R"({"Future":["'/é世",-1,18446744073709551615,0.5,true,null,{}]})";
  CHECK(from<Hostinfo>(plain)->raw.text() == plain);
}

TEST_CASE("codec: device attributes keep null") {
  const auto request = from<SetDeviceAttributesRequest>(R"({"Update":{"a":null,"b":"x","c":1,"d":true}})");
  REQUIRE(request);
  REQUIRE(request->update.size() == 4);
  CHECK(request->update.at("a").text() == "null");
  CHECK(request->update.at("b").text() == "\"x\"");
}

TEST_CASE("codec: tailnet lock and SSH events") {
  const std::string zeros(64, '0'), head = R"({"Version":0,"NodeKey":"nodekey:)" + zeros + "\"";
  CHECK(encoded(TKAInitBeginRequest{}) == head + R"(,"GenesisAUM":""})");
  CHECK(encoded(TKAInitBeginResponse{}) == R"({"NeedSignatures":[]})");
  CHECK(encoded(TKASyncOfferResponse{}) == R"({"Head":"","Ancestors":[],"MissingAUMs":[]})");
  const auto finish = from<TKAInitFinishRequest>(R"({"Version":138,"Signatures":{"7":"AQID","9":null}})");
  REQUIRE(finish);
  CHECK(finish->signatures.at(NodeId{7}).bytes == std::vector<std::uint8_t>{1, 2, 3});
  CHECK(finish->signatures.at(NodeId{9}).empty());
  const auto send =
      from<TKASyncSendRequest>(R"({"Head":"H","MissingAUMs":["AQ==","Ag=="],"Interactive":true})");
  REQUIRE(send);
  CHECK(send->missing_aums.size() == 2);
  CHECK(send->interactive);
  CHECK(encoded(*send) == head + R"(,"Head":"H","MissingAUMs":["AQ==","Ag=="],"Interactive":true})");
  const auto event = from<SSHEventNotifyRequest>(
      R"({"EventType":3,"SrcNode":5,"RecordingAttempts":[{"Recorder":"1.2.3.4:80","FailureMessage":"no"}]})");
  REQUIRE(event);
  CHECK(event->src_node == NodeId{5});
  CHECK(event->recording_attempts.at(0).recorder == "1.2.3.4:80");
}

}  // namespace
}  // namespace ts2021
