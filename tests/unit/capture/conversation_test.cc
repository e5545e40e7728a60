// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/conversation.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;

TEST_CASE("exchanges are joined by connection, site and stream, in the order of their requests") {
  const auto read = Conversation::read(
      R"({"t":0,"layer":"capture","event":"begin"}
{"t":0,"session":1,"layer":"tcp","event":"open","peer":"x"}
{"t":0,"session":1,"layer":"http","dir":"in","event":"request","stream":1,"method":"GET","path":"/key?v=1"}
{"t":0,"session":1,"layer":"http","dir":"out","event":"answer","stream":1,"status":200,"message":{"a":1}}
{"t":0,"session":2,"layer":"tcp","event":"open"}
{"t":0,"session":2,"layer":"noise","event":"handshake","machine":"mkey:1","version":138}
{"t":0,"session":2,"layer":"api","dir":"in","event":"request","stream":1,"method":"POST","path":"/machine/map"}
{"t":0,"session":2,"layer":"api","dir":"in","event":"request","stream":3,"method":"POST","path":"/machine/x"}
{"t":0,"session":2,"layer":"api","dir":"out","event":"answer","stream":1,"status":200}
{"t":0,"session":2,"layer":"api","dir":"out","event":"answer","stream":3,"status":200}
{"t":0,"session":2,"layer":"map","dir":"out","event":"message","stream":1,"message":{}}
{"t":0,"session":2,"layer":"map","dir":"out","event":"message","stream":1,"message":{}}
{"t":0,"session":2,"layer":"api","dir":"in","event":"unrouted","method":"PUT","path":"/y"}
{"t":0,"session":2,"layer":"api","dir":"out","event":"end","stream":1}
{"t":0,"session":2,"layer":"api","dir":"in","event":"request","stream":5,"method":"POST","path":"/machine/map"}
{"t":0,"session":2,"layer":"api","dir":"out","event":"answer","stream":5,"status":200}
{"t":0,"session":2,"layer":"api","dir":"out","event":"end","stream":5}
{"t":0,"session":2,"lay)");
  REQUIRE(read);
  REQUIRE(read->sessions.size() == 2);
  REQUIRE_FALSE(read->find(1)->handshake);
  REQUIRE(read->find(2)->handshake->version == 138);
  REQUIRE(read->find(3) == nullptr);
  REQUIRE(read->exchanges.size() == 5);
  const CapturedExchange& key = read->exchanges[0];
  REQUIRE_FALSE(key.inside);
  REQUIRE(path_of(key.request) == "/key");
  REQUIRE(key.asked == 3);
  REQUIRE(key.answered == 4);
  const CapturedExchange& map = read->exchanges[1];
  REQUIRE(map.inside);
  REQUIRE(map.messages.size() == 2);
  REQUIRE(map.answered == 11);
  REQUIRE(map.ended);
  REQUIRE(read->exchanges[2].answered == 10);
  REQUIRE(read->exchanges[3].unrouted);
  // A map without a message is answered when it ends.
  REQUIRE(read->exchanges[4].messages.empty());
  REQUIRE(read->exchanges[4].answered == 17);
}

TEST_CASE("a line that is none is named by its number") {
  const auto read = Conversation::read("{\"layer\":\"tcp\",\"event\":\"open\"}\nnonsense\n");
  REQUIRE_FALSE(read);
  REQUIRE(read.error().origin == 1403);
  REQUIRE(read.error().detail == 2);
}
