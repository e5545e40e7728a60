// SPDX-License-Identifier: BSD-3-Clause
// Identity tokens, checked as a stranger would: with the key of the published set.
#include "service/token_key.h"

#include "sim/site.h"
#include "support/catch.h"

using namespace ts2021;
using test::Asker;
using test::Member;
using test::World;

namespace {

const TokenKey& token_key() {
  static const TokenKey key = *TokenKey::generate();
  return key;
}

ServiceConfig signing() {
  ServiceConfig config;
  config.token_key = &token_key();
  config.url = "https://control.example.com";
  return config;
}

std::vector<std::uint8_t> from_base64url(std::string_view text) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::vector<std::uint8_t> out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const std::size_t value = digits.find(c);
    REQUIRE(value != std::string_view::npos);
    bits = bits << 6 | static_cast<unsigned>(value);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  return out;
}

std::string ask(Member& member, std::string_view audience) {
  return member.body(R"(,"CapVersion":138,"Audience":")" + std::string(audience) + "\"");
}

// As another writer of the same store does it.
template <class Change>
void change_node(World& world, const Member& member, Change change) {
  MemoryStore other(world.store.records());
  other.watch(Revision{});
  std::array<StoreEvent, 1> event;
  while (other.poll(event) == 1) {
    const auto* changed = std::get_if<Changed>(&event[0]);
    const auto* node = changed && changed->record ? std::get_if<NodeRecord>(changed->record.get()) : nullptr;
    if (!node || node->key != member.node) continue;
    NodeRecord changed_node = *node;
    change(changed_node);
    const Write write{RecordKind::node, changed->id, changed->revision,
                      std::make_shared<const Record>(std::move(changed_node))};
    other.submit(Ticket{1}, {&write, 1});
    break;
  }
  world.run();
}

}  // namespace

TEST_CASE("base64 of web tokens has no padding (RFC 4648, RFC 7515)") {
  const auto text = [](std::string_view bytes) { return service::base64url(as_bytes(bytes)); };
  REQUIRE(text("").empty());
  REQUIRE(text("f") == "Zg");
  REQUIRE(text("fo") == "Zm8");
  REQUIRE(text("foo") == "Zm9v");
  REQUIRE(text("foobar") == "Zm9vYmFy");
  REQUIRE(text("\xfb\xff") == "-_8");
}

TEST_CASE("API-146: a node gets a token that the published key verifies, with its claims") {
  World world(signing());
  Member one(world, 1, "one");
  world.clock.now.wall = WallTime{std::chrono::seconds{1'700'000'000}};
  const auto answer = one.site.ask("POST", "/machine/id-token", ask(one, "https://rp.example"));
  REQUIRE(answer.status == 200);
  const auto response = decode_copy<TokenResponse>(as_bytes(answer.body));
  REQUIRE(response);
  const std::string& token = response->id_token;
  const std::size_t first = token.find('.'), second = token.rfind('.');
  REQUIRE(first != second);

  Asker anybody(world, world.connect(0, ClientMode::http1));
  const auto configuration = decode_copy<OpenIdConfiguration>(
      as_bytes(anybody.ask("GET", "/.well-known/openid-configuration").body));
  REQUIRE(configuration);
  REQUIRE(configuration->issuer == "https://control.example.com");
  REQUIRE(configuration->jwks_uri == configuration->issuer + "/.well-known/jwks.json");
  REQUIRE(configuration->signing_algorithms == std::vector<std::string>{"ES256"});
  const auto keys = decode_copy<WebKeySet>(as_bytes(anybody.ask("GET", "/.well-known/jwks.json").body));
  REQUIRE(keys);
  REQUIRE(keys->keys.size() == 1);

  const auto header = decode_copy<TokenHeader>(from_base64url(std::string_view(token).substr(0, first)));
  REQUIRE(header);
  REQUIRE(*header == TokenHeader{"ES256", keys->keys[0].id, "JWT"});
  crypto::Es256Key::Point open{};
  const auto x = from_base64url(keys->keys[0].x), y = from_base64url(keys->keys[0].y);
  REQUIRE(x.size() == 32);
  REQUIRE(y.size() == 32);
  std::copy(x.begin(), x.end(), open.x.begin());
  std::copy(y.begin(), y.end(), open.y.begin());
  auto signature = from_base64url(std::string_view(token).substr(second + 1));
  REQUIRE(crypto::Es256Key::verify(open, as_bytes(std::string_view(token).substr(0, second)), signature));
  REQUIRE_FALSE(
      crypto::Es256Key::verify(open, as_bytes(std::string_view(token).substr(0, first)), signature));
  signature[5] ^= 1;
  REQUIRE_FALSE(
      crypto::Es256Key::verify(open, as_bytes(std::string_view(token).substr(0, second)), signature));

  const auto claims =
      decode_copy<TokenClaims>(from_base64url(std::string_view(token).substr(first + 1, second - first - 1)));
  REQUIRE(claims);
  REQUIRE(claims->issuer == "https://control.example.com");
  REQUIRE(claims->subject == "one.ts2021.test");
  REQUIRE(claims->audience == "https://rp.example");
  REQUIRE(claims->issued == 1'700'000'000);
  REQUIRE(claims->not_before == claims->issued);
  REQUIRE(claims->expires == claims->issued + 300);
  REQUIRE(claims->id.size() == 32);
  REQUIRE(claims->key == one.node);
  REQUIRE(claims->addresses.size() == 2);
  REQUIRE(claims->addresses[0].is_host());
  REQUIRE(static_cast<std::uint64_t>(claims->node_id) == one.id);
  REQUIRE(claims->node == "one.ts2021.test");
  REQUIRE(claims->domain == "ts2021.test");
  REQUIRE(claims->tags.empty());
  REQUIRE(claims->user == "owner@ts2021.test");

  const auto again = one.site.ask("POST", "/machine/id-token", ask(one, "https://rp.example"));
  REQUIRE(again.body != answer.body);  // every token has an id of its own
}

TEST_CASE("API-146: a tagged node's token names tags and no user") {
  World world(signing());
  Member one(world, 1, "one");
  change_node(world, one, [](NodeRecord& node) { node.tags = {"tag:ci"}; });
  const auto response =
      decode_copy<TokenResponse>(as_bytes(one.site.ask("POST", "/machine/id-token", ask(one, "a")).body));
  REQUIRE(response);
  const std::string_view token = response->id_token;
  const std::size_t first = token.find('.');
  const auto claims =
      decode_copy<TokenClaims>(from_base64url(token.substr(first + 1, token.rfind('.') - first - 1)));
  REQUIRE(claims);
  REQUIRE(claims->tags == std::vector<std::string>{"tag:ci"});
  REQUIRE(claims->user.empty());
}

TEST_CASE(
    "API-146: without an audience 400, of expired nodes 403, of unknown and foreign ones 404, without a key "
    "501") {
  World world(signing());
  Member one(world, 1, "one"), two(world, 2, "two");
  const auto status = [&](const std::string& body) {
    return one.site.ask("POST", "/machine/id-token", body).status;
  };
  REQUIRE(status(ask(one, "")) == 400);
  REQUIRE(status(ask(one, std::string(1025, 'a'))) == 400);
  REQUIRE(status(ask(two, "a")) == 404);
  REQUIRE(status(R"({"Audience":"a"})") == 404);
  change_node(world, one, [&](NodeRecord& node) { node.key_expiry = world.clock.now.wall; });
  REQUIRE(status(ask(one, "a")) == 403);  // logged out
  World without;
  Member other(without, 1, "one");
  REQUIRE(other.site.ask("POST", "/machine/id-token", ask(other, "a")).status == 501);
  Asker anybody(without, without.connect(0, ClientMode::http1));
  REQUIRE(anybody.ask("GET", "/.well-known/openid-configuration").status == 404);
  REQUIRE(anybody.ask("GET", "/.well-known/jwks.json").status == 404);
}

TEST_CASE("a token key comes back from its PEM, and nothing else is one") {
  const std::string pem = token_key().pem();
  REQUIRE(pem.starts_with("-----BEGIN PRIVATE KEY-----"));
  const auto back = TokenKey::from_pem(pem);
  REQUIRE(back);
  REQUIRE(back->id() == token_key().id());
  REQUIRE(back->pem() == pem);
  REQUIRE(TokenKey::generate()->id() != token_key().id());
  for (const std::string& bad : {std::string(), std::string("x"), pem.substr(0, pem.size() / 2)})
    REQUIRE(TokenKey::from_pem(bad).error().origin == 1109);
}
