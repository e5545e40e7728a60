// SPDX-License-Identifier: BSD-3-Clause
// The calls of the tailnet lock as a client makes them: GET with a JSON body inside Noise.
#include "sim/site.h"
#include "support/catch.h"
#include "support/lock_keys.h"
#include "ts2021/msg/tka.h"

using namespace ts2021;
using test::Member;
using test::World;

namespace {

constexpr std::string_view paths[] = {"/machine/tka/init/begin", "/machine/tka/init/finish",
                                      "/machine/tka/bootstrap",  "/machine/tka/sync/offer",
                                      "/machine/tka/sync/send",  "/machine/tka/sign",
                                      "/machine/tka/disable",    "/machine/tka/affected-sigs"};

template <class Request>
test::SiteAnswer call(Member& by, std::string_view path, Request request) {
  request.version = Capability{138};
  request.node_key = by.node;
  return by.site.ask("GET", path, encoded(request, Capability{138}));
}
template <class Reply, class Request>
Reply ok(Member& by, std::string_view path, Request request) {
  const test::SiteAnswer answer = call(by, path, std::move(request));
  INFO(answer.body);
  REQUIRE(answer.status == 200);
  CHECK(answer.header("content-type") == "application/json");
  const auto reply = decode<Reply>(as_bytes(answer.body));
  REQUIRE(reply);
  return *reply;
}

}  // namespace

TEST_CASE("LCK-20 H2-13 the lock's calls: other methods 405, no JSON 400, too long 413, whose nodes 404") {
  World world;
  Member one(world, 1, "one"), two(world, 2, "two");
  for (const std::string_view path : paths) {
    INFO(path);
    for (const std::string_view method : {"POST", "PUT", "DELETE"})
      CHECK(one.site.ask(method, path, "{}").status == 405);
    CHECK(one.site.ask("POST", path, "{}").header("allow") == "GET, HEAD");
    for (const std::string_view body :
         {"", "{", "[]", "null", "{\"Version\":\"x\"}", "{\"NodeKey\":\"mkey:00\"}"})
      CHECK(one.site.ask("GET", path, body).status == 400);
    CHECK(one.site.ask("GET", path, "{}").status == 400);  // no version
    CHECK(one.site.ask("GET", path, std::string((1 << 20) + 1, ' ')).status == 413);
    const auto named = [](const NodePublic& node) {
      return "{\"Version\":138,\"NodeKey\":\"" + node.text() + "\"}";
    };
    CHECK(one.site.ask("GET", path, named(two.node)).status == 404);
    CHECK(one.site.ask("GET", path, named(test::node(3))).status == 404);
    CHECK(one.site.ask("GET", path, "{\"Version\":138}").status == 404);
  }
}

TEST_CASE("a lock from its beginning to its end, in JSON") {
  World world;
  Member one(world, 1, "one"), two(world, 2, "two");
  const TailnetLockPrivate signer = test::lock_secret(7), added = test::lock_secret(8);
  const test::Buffer secret(32, 0x77);
  lock::AUM genesis;
  genesis.kind = lock::AUMKind::checkpoint;
  genesis.state = test::state_of({test::trusted(signer)});
  genesis.state->disablement_values = {*lock::disablement_value(secret)};
  genesis.sign(signer);

  TKAInitBeginRequest begin;
  begin.genesis_aum.bytes = genesis.encode();
  const auto begun = ok<TKAInitBeginResponse>(one, paths[0], begin);
  REQUIRE(begun.need_signatures.size() == 2);
  TKAInitFinishRequest finish;
  for (const TKASignInfo& info : begun.need_signatures)
    finish.signatures[info.node_id].bytes = lock::sign_node(info.node_public, {}, signer).encode();
  CHECK(call(one, paths[1], finish).body == "{}");

  const auto bootstrap = ok<TKABootstrapResponse>(two, paths[2], TKABootstrapRequest{});
  CHECK(bootstrap.genesis_aum.bytes == genesis.encode());

  lock::AUM update;
  update.kind = lock::AUMKind::add_key;
  update.parent = genesis.hash();
  update.key = test::trusted(added);
  update.sign(signer);
  TKASyncSendRequest send;
  send.head = genesis.hash().text();
  send.missing_aums = {{update.encode()}};
  CHECK(ok<TKASyncSendResponse>(one, paths[4], send).head == update.hash().text());
  TKASyncOfferRequest offer;
  offer.head = genesis.hash().text();
  const auto answer = ok<TKASyncOfferResponse>(two, paths[3], offer);
  CHECK(answer.head == update.hash().text());
  CHECK(answer.missing_aums == send.missing_aums);

  Member three(world, 3, "three");
  TKASubmitSignatureRequest sign;
  sign.signature.bytes = lock::sign_node(three.node, {}, added).encode();
  CHECK(call(two, paths[5], sign).body == "{}");
  TKASignaturesUsingKeyRequest affected;
  affected.key_id.bytes = test::trusted(added).id;
  CHECK(ok<TKASignaturesUsingKeyResponse>(two, paths[7], affected).signatures == std::vector{sign.signature});

  TKADisableRequest disable;
  disable.head = update.hash().text();
  disable.disablement_secret.bytes = test::Buffer(32, 1);
  CHECK(call(two, paths[6], disable).status == 403);
  disable.disablement_secret.bytes = secret;
  CHECK(call(two, paths[6], disable).body == "{}");
  CHECK(ok<TKABootstrapResponse>(one, paths[2], TKABootstrapRequest{}).disablement_secret.bytes == secret);
  CHECK(call(one, paths[3], offer).status == 409);
}

TEST_CASE("LCK-27 too many costly calls are answered 429 with Retry-After") {
  World world;
  Member one(world, 1, "one");
  for (int i = 0; i < 4; ++i) CHECK(call(one, paths[0], TKAInitBeginRequest{}).status == 400);
  const auto late = call(one, paths[0], TKAInitBeginRequest{});
  CHECK(late.status == 429);
  CHECK(late.header("retry-after") == "1");
}
