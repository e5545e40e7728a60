// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/service/server_key.h"

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/client/node_client.h"
#include "ts2021/msg/server_key.h"

using namespace ts2021;

namespace {

ServerKeySwitches switches(bool noise, bool box, bool reachable = true) {
  test::SeededEntropy entropy(3);
  ServerKeySwitches out;
  const auto noise_key = ControlNoisePair::generate(entropy).open;
  const auto box_key = ControlBoxPair::generate(entropy).open;
  if (noise) out.noise = noise_key;
  if (box) out.box = box_key;
  out.reachable_by_old_noise = reachable;
  return out;
}

// "bare", "both", "noise", "box" or the status: what a client of this version is told.
std::string told(std::string_view query, const ServerKeySwitches& with) {
  const ServerKeyAnswer answer = answer_server_key(query, with);
  if (answer.status != 200) return std::to_string(answer.status) + " " + answer.body;
  if (answer.content_type != "application/json") {
    REQUIRE(answer.body == with.box.bare_text());  // SRV-2: 64 digits, no newline
    return "bare";
  }
  const auto key = decode_copy<ServerKey>(as_bytes(answer.body));
  REQUIRE(key);
  REQUIRE(answer.body.find("legacyPublicKey") != std::string::npos);  // SRV-6
  if (!key->public_key.is_zero()) REQUIRE(key->public_key == with.noise);
  if (!key->legacy_public_key.is_zero()) REQUIRE(key->legacy_public_key == with.box);
  if (key->public_key.is_zero()) return key->legacy_public_key.is_zero() ? "none" : "box";
  return key->legacy_public_key.is_zero() ? "noise" : "both";
}

}  // namespace

TEST_CASE("the table of /key, both protocols on (SRV-2, SRV-3, SRV-6)") {
  const auto on = switches(true, true);
  for (const char* query : {"", "v=", "v=0", "v=27", "x=1"}) REQUIRE(told(query, on) == "bare");
  for (const char* query : {"v=28", "v=32", "v=38", "v=39", "v=88", "v=89"})
    REQUIRE(told(query, on) == "both");
  for (const char* query : {"v=90", "v=138", "v=65535", "a=b&v=138"}) REQUIRE(told(query, on) == "noise");
  const auto https_only = switches(true, true, false);
  for (const char* query : {"v=28", "v=38"}) REQUIRE(told(query, https_only) == "bare");
  REQUIRE(told("v=39", https_only) == "both");
}

TEST_CASE("the table of /key with one protocol off") {
  const auto noise = switches(true, false);
  REQUIRE(told("", noise) == "400 capability version must be set\n");
  REQUIRE(told("v=27", noise) == "400 capability version must be set\n");
  REQUIRE(told("v=28", noise) == "noise");
  REQUIRE(told("v=138", noise) == "noise");
  const auto box = switches(false, true);
  REQUIRE(told("v=32", box) == "box");
  REQUIRE(told("v=89", box) == "box");
}

TEST_CASE("SRV-4: two zero keys are never told") {
  const std::string error = "503 no key for this client version\n";
  REQUIRE(told("v=28", switches(true, false, false)) == error);
  REQUIRE(told("v=138", switches(false, true)) == error);
  REQUIRE(told("v=60", switches(false, false)) == error);
}

TEST_CASE("rows 7 and 9, SRV-1: bad versions are 400, the first of two counts") {
  const auto on = switches(true, true);
  for (const char* query :
       {"v=abc", "v=-1", "v=+1", "v= 1", "v=1x", "v=65536", "v=99999999999999999999", "v=%31"})
    REQUIRE(told(query, on) == "400 invalid capability version\n");
  REQUIRE(told("v=138&v=abc", on) == "noise");
  REQUIRE(told("v=abc&v=138", on) == "400 invalid capability version\n");
}

TEST_CASE("row 10: a client reads both forms and refuses the rest") {
  const auto on = switches(true, true);
  const auto bare = read_server_key(200, as_bytes(answer_server_key("", on).body));
  REQUIRE(bare);
  REQUIRE(bare->legacy_public_key == on.box);
  REQUIRE(bare->public_key.is_zero());
  const auto json = read_server_key(200, as_bytes(answer_server_key("v=60", on).body + "\n"));
  REQUIRE(json);
  REQUIRE(json->public_key == on.noise);
  REQUIRE_FALSE(read_server_key(503, as_bytes(on.box.bare_text())));
  REQUIRE_FALSE(read_server_key(200, as_bytes(on.box.bare_text() + "\n")));
  for (const char* bad : {"", "<html>", "{\"publicKey\":", "{}", "[]", "{\"publicKey\":\"mkey:00\"}"})
    REQUIRE_FALSE(read_server_key(200, as_bytes(bad)));
  REQUIRE(read_server_key(200, as_bytes(std::string(70'000, ' '))).error().code == Errc::limit_exceeded);
  REQUIRE(server_key_path(Capability{138}) == "/key?v=138");
}
