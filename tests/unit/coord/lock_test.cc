// SPDX-License-Identifier: BSD-3-Clause
// The tailnet lock from its first call to its end, as nodes see it.
#include <algorithm>

#include "coord/lock_desk.h"
#include "support/catch.h"
#include "support/coord_desk.h"
#include "support/lock_keys.h"

using namespace ts2021;
using test::Buffer;
using test::Client;
using test::Desk;
using test::trusted;

namespace {

const Buffer secret(32, 0x5e);

// A client with a lock key of its own.
struct LockClient : Client {
  explicit LockClient(Desk& on, std::uint64_t from) : Client(on, from), lock_secret(test::lock_secret(from)) {
    RegisterRequest request = register_request();
    request.nl_key = lock_secret.public_key();
    REQUIRE(Client::send(request).error.empty());
    start_poll();
  }

  template <class Request>
  test::Inbox& call(Request request) {
    request.version = capability;
    if (request.node_key.is_zero()) request.node_key = node_key;
    const CallId made =
        desk->ask(session, machine, question::Lock{std::make_shared<const Request>(std::move(request))});
    desk->pump();
    return desk->inbox(session, made);
  }
  template <class Reply, class Request>
  Reply ok(Request request) {
    const test::Inbox& box = call(std::move(request));
    if (box.refused) FAIL(box.refused->text);
    REQUIRE(box.answer);
    const auto& message = std::get<answer::LockReply>(*box.answer).message;
    REQUIRE(std::holds_alternative<Reply>(message));
    return std::get<Reply>(message);
  }
  template <class Request>
  int refused(Request request) {
    const test::Inbox& box = call(std::move(request));
    REQUIRE_FALSE(box.answer);
    REQUIRE(box.refused);
    return box.refused->status;
  }

  [[nodiscard]] NodeId id() const { return desk->record(node_key)->id; }
  [[nodiscard]] const Buffer& kept_signature() const { return desk->record(node_key)->key_signature; }

  TailnetLockPrivate lock_secret;
};

lock::AUM genesis_of(const LockClient& by) {
  lock::AUM out;
  out.kind = lock::AUMKind::checkpoint;
  out.state = test::state_of({trusted(by.lock_secret)});
  out.state->disablement_values = {*lock::disablement_value(secret)};
  out.sign(by.lock_secret);
  return out;
}

TKAInitFinishRequest signatures_for(const TKAInitBeginResponse& begun, const TailnetLockPrivate& by) {
  TKAInitFinishRequest out;
  for (const TKASignInfo& info : begun.need_signatures) {
    const TailnetLockPublic wrapping =
        info.rotation_pubkey.empty()
            ? TailnetLockPublic()
            : TailnetLockPublic::from_bytes(Bytes(info.rotation_pubkey.bytes).first<32>());
    out.signatures[info.node_id].bytes = lock::sign_node(info.node_public, wrapping, by).encode();
  }
  return out;
}

TKAInitBeginResponse begin(LockClient& by) {
  TKAInitBeginRequest request;
  request.genesis_aum.bytes = genesis_of(by).encode();
  return by.ok<TKAInitBeginResponse>(request);
}
void switch_on(LockClient& by) { (void)by.ok<EmptyResponse>(signatures_for(begin(by), by.lock_secret)); }

lock::AUM add_key(const lock::AUMHash& parent, const TailnetLockPrivate& added,
                  const TailnetLockPrivate& by) {
  lock::AUM out;
  out.kind = lock::AUMKind::add_key;
  out.parent = parent;
  out.key = trusted(added);
  out.sign(by);
  return out;
}
TKASyncSendRequest send_of(const lock::AUM& update) {
  TKASyncSendRequest out;
  out.head = update.hash().text();
  out.missing_aums = {{update.encode()}};
  return out;
}
TKASyncOfferRequest offer_of(const lock::AUMHash& head) {
  TKASyncOfferRequest out;
  out.head = head.text();
  out.ancestors = {head.text()};
  return out;
}
TKADisableRequest disable_with(const Buffer& with) {
  TKADisableRequest out;
  out.head = lock::AUMHash{}.text();
  out.disablement_secret.bytes = with;
  return out;
}
TKASubmitSignatureRequest sign_of(const lock::NodeKeySignature& signature) {
  TKASubmitSignatureRequest out;
  out.signature.bytes = signature.encode();
  return out;
}
TKASignaturesUsingKeyRequest affected_by(const TailnetLockPrivate& key) {
  TKASignaturesUsingKeyRequest out;
  out.key_id.bytes = trusted(key).id;
  return out;
}

std::optional<TKAInfo> told(LockClient& client) {
  std::optional<TKAInfo> last;
  for (const MapResponse& message : client.read_all())
    if (message.tka_info) last = message.tka_info;
  return last;
}

}  // namespace

TEST_CASE("LCK-21 LCK-22 the lock is begun and finished, everybody is signed and told") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  CHECK_FALSE(told(one));
  const TKAInitBeginResponse begun = begin(one);
  REQUIRE(begun.need_signatures.size() == 2);
  CHECK(begun.need_signatures[1].node_id == two.id());
  CHECK(begun.need_signatures[1].node_public == two.node_key);
  CHECK(begun.need_signatures[1].rotation_pubkey.bytes == trusted(two.lock_secret).id);
  CHECK_FALSE(told(two));  // not yet

  const auto finish = signatures_for(begun, one.lock_secret);
  (void)one.ok<EmptyResponse>(finish);
  const lock::AUMHash head = genesis_of(one).hash();
  CHECK(told(one) == TKAInfo{head.text(), false});
  const Blob of_one = finish.signatures.at(one.id());
  std::optional<Blob> seen;
  for (const MapResponse& message : two.read_all()) {
    for (const Node& peer : message.peers_changed) seen = peer.key_signature;
    for (const PeerChange& peer : message.peers_changed_patch)
      if (peer.key_signature) seen = peer.key_signature;
  }
  CHECK(seen == of_one);
  CHECK(one.kept_signature() == finish.signatures.at(one.id()).bytes);
  CHECK(two.kept_signature() == finish.signatures.at(two.id()).bytes);
}

TEST_CASE("LCK-23 the lock and its chain outlive the server; who comes later hears of it") {
  const auto records = std::make_shared<MemoryRecords>();
  lock::AUMHash head;
  {
    Desk desk(test::desk_config(), records);
    LockClient one(desk, 1);
    switch_on(one);
    const lock::AUM update = add_key(genesis_of(one).hash(), test::lock_secret(40), one.lock_secret);
    head = update.hash();
    CHECK(one.ok<TKASyncSendResponse>(send_of(update)).head == head.text());
  }
  Desk desk(test::desk_config(), records);
  LockClient one(desk, 1);
  CHECK(told(one) == TKAInfo{head.text(), false});
  const auto bootstrap = one.ok<TKABootstrapResponse>(TKABootstrapRequest{});
  CHECK(bootstrap.genesis_aum.bytes == genesis_of(one).encode());
  CHECK(bootstrap.disablement_secret.empty());
}

TEST_CASE("updates go through the server to the others, verified on the way") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);
  const lock::AUMHash genesis = genesis_of(one).hash();
  (void)told(two);
  const auto up_to_date = two.ok<TKASyncOfferResponse>(offer_of(genesis));
  CHECK(up_to_date.head == genesis.text());
  CHECK(up_to_date.ancestors == std::vector{genesis.text()});
  CHECK(up_to_date.missing_aums.empty());

  CHECK(two.refused(send_of(add_key(genesis, two.lock_secret, two.lock_secret))) == 403);
  CHECK_FALSE(told(two));
  const lock::AUM update = add_key(genesis, two.lock_secret, one.lock_secret);
  CHECK(one.ok<TKASyncSendResponse>(send_of(update)).head == update.hash().text());
  CHECK(told(two) == TKAInfo{update.hash().text(), false});
  const auto behind = two.ok<TKASyncOfferResponse>(offer_of(genesis));
  REQUIRE(behind.missing_aums.size() == 1);
  CHECK(behind.missing_aums[0].bytes == update.encode());

  // Sent once more, nothing happens; two may sign now.
  CHECK(one.ok<TKASyncSendResponse>(send_of(update)).head == update.hash().text());
  CHECK_FALSE(told(two));
  const lock::AUM more = add_key(update.hash(), test::lock_secret(40), two.lock_secret);
  CHECK(two.ok<TKASyncSendResponse>(send_of(more)).head == more.hash().text());
  CHECK(told(one) == TKAInfo{more.hash().text(), false});
}

TEST_CASE("LCK-24 a signature belongs to the node whose key is in it, whoever sends it") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);
  LockClient three(desk, 3);
  CHECK(three.kept_signature().empty());
  const auto good = lock::sign_node(three.node_key, three.lock_secret.public_key(), one.lock_secret);
  CHECK(two.refused(sign_of(lock::sign_node(three.node_key, {}, two.lock_secret))) == 403);
  auto broken = good;
  broken.signature[0] ^= 1;
  CHECK(two.refused(sign_of(broken)) == 400);
  CHECK(two.refused(sign_of(lock::sign_node(test::node(9), {}, one.lock_secret))) == 404);
  CHECK(three.kept_signature().empty());
  (void)two.ok<EmptyResponse>(sign_of(good));
  CHECK(three.kept_signature() == good.encode());
  CHECK(one.kept_signature() != good.encode());
}

TEST_CASE("LCK-25 the right secret ends the lock, and everybody may know it then") {
  const auto records = std::make_shared<MemoryRecords>();
  Desk desk(test::desk_config(), records);
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);
  (void)told(two);
  CHECK(two.refused(disable_with(Buffer(32, 1))) == 403);
  CHECK(two.refused(disable_with({})) == 403);
  CHECK_FALSE(told(two));
  (void)two.ok<EmptyResponse>(disable_with(secret));
  CHECK(told(two) == TKAInfo{{}, true});
  TKABootstrapRequest ask;
  ask.head = genesis_of(one).hash().text();
  const auto bootstrap = one.ok<TKABootstrapResponse>(ask);
  CHECK(bootstrap.disablement_secret.bytes == secret);
  CHECK(bootstrap.genesis_aum.empty());
  CHECK(one.refused(offer_of(genesis_of(one).hash())) == 409);

  Desk later(test::desk_config(), records);
  LockClient again(later, 1);
  CHECK(told(again) == TKAInfo{{}, true});
  switch_on(again);
  CHECK(told(again) == TKAInfo{genesis_of(again).hash().text(), false});
}

TEST_CASE("signatures made with a key are found by it") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);
  const lock::AUM update = add_key(genesis_of(one).hash(), two.lock_secret, one.lock_secret);
  (void)one.ok<TKASyncSendResponse>(send_of(update));
  LockClient three(desk, 3);
  (void)two.ok<EmptyResponse>(
      sign_of(lock::sign_node(three.node_key, three.lock_secret.public_key(), two.lock_secret)));
  const auto by_one = one.ok<TKASignaturesUsingKeyResponse>(affected_by(one.lock_secret)).signatures;
  REQUIRE(by_one.size() == 2);
  CHECK(by_one[0].bytes == one.kept_signature());
  const auto by_two = one.ok<TKASignaturesUsingKeyResponse>(affected_by(two.lock_secret)).signatures;
  REQUIRE(by_two.size() == 1);
  CHECK(by_two[0].bytes == three.kept_signature());
  desk.advance(std::chrono::seconds{2});  // LCK-27
  CHECK(one.ok<TKASignaturesUsingKeyResponse>(affected_by(three.lock_secret)).signatures.empty());

  lock::AUM removal;
  removal.kind = lock::AUMKind::remove_key;
  removal.parent = update.hash();
  removal.key_id = trusted(two.lock_secret).id;
  removal.sign(one.lock_secret);
  (void)one.ok<TKASyncSendResponse>(send_of(removal));
  CHECK(three.ok<TKASignaturesUsingKeyResponse>(affected_by(two.lock_secret)).signatures.empty());
}

TEST_CASE("LCK-22 a lock that would not hold is not switched on") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  CHECK(one.refused(TKAInitFinishRequest{}) == 409);
  const auto begun = begin(one);
  const auto good = signatures_for(begun, one.lock_secret);
  CHECK(two.refused(good) == 409);  // another's
  SECTION("a node would lock itself out") {
    auto request = good;
    request.signatures.erase(one.id());
    CHECK(one.refused(request) == 400);
  }
  SECTION("a signature by somebody else") {
    auto request = good;
    request.signatures[two.id()].bytes = lock::sign_node(two.node_key, {}, two.lock_secret).encode();
    CHECK(one.refused(request) == 403);
  }
  SECTION("a signature that is none") {
    auto request = good;
    request.signatures[two.id()].bytes = {1, 2, 3};
    CHECK(one.refused(request) == 400);
  }
  SECTION("a support secret of nobody") {
    auto request = good;
    request.support_disablement.bytes = Buffer(32, 7);
    CHECK(one.refused(request) == 400);
    request.support_disablement.bytes = secret;
    (void)one.ok<EmptyResponse>(request);
    CHECK(told(one));
    return;
  }
  SECTION("another node has begun meanwhile") {
    (void)begin(two);
    CHECK(one.refused(good) == 409);
  }
  CHECK_FALSE(told(one));
  CHECK(one.kept_signature().empty());
  CHECK(two.kept_signature().empty());
  CHECK(one.refused(TKABootstrapRequest{}) == 409);
}

TEST_CASE("LCK-22 who came or changed its key meanwhile is signed later") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  auto request = signatures_for(begin(one), one.lock_secret);
  LockClient three(desk, 3);
  request.signatures[two.id()].bytes = lock::sign_node(test::node(2), {}, one.lock_secret).encode();
  request.signatures[NodeId{999}].bytes = lock::sign_node(test::node(4), {}, one.lock_secret).encode();
  (void)one.ok<EmptyResponse>(request);
  CHECK_FALSE(one.kept_signature().empty());
  CHECK(two.kept_signature().empty());
  CHECK(three.kept_signature().empty());
}

TEST_CASE("LCK-20 calls of nobody, of others and without version; a genesis that is none") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  TKABootstrapRequest request;
  request.node_key = test::node(77);
  CHECK(one.refused(request) == 404);
  request.node_key = two.node_key;  // of another machine
  CHECK(one.refused(request) == 404);
  TKABootstrapRequest bare;
  bare.node_key = one.node_key;
  const CallId call =
      desk.ask(one.session, one.machine, question::Lock{std::make_shared<const TKABootstrapRequest>(bare)});
  desk.pump();
  CHECK(desk.inbox(one.session, call).refused->status == 400);
  bare.version = one.capability;
  const CallId outside =
      desk.ask(one.session, std::nullopt, question::Lock{std::make_shared<const TKABootstrapRequest>(bare)});
  desk.pump();
  CHECK(desk.inbox(one.session, outside).refused->status == 404);

  CHECK(one.refused(offer_of({})) == 409);
  CHECK(one.refused(TKASyncSendRequest{}) == 409);
  CHECK(one.refused(TKASubmitSignatureRequest{}) == 409);
  CHECK(one.refused(disable_with(secret)) == 409);
  CHECK(one.refused(affected_by(one.lock_secret)) == 409);
  CHECK(one.refused(TKAInitBeginRequest{}) == 400);
  lock::AUM child = genesis_of(one);
  child.parent.emplace();
  child.signatures.clear();
  child.sign(one.lock_secret);
  TKAInitBeginRequest begin_child;
  begin_child.genesis_aum.bytes = child.encode();
  CHECK(one.refused(begin_child) == 400);

  switch_on(one);
  TKAInitBeginRequest again;
  again.genesis_aum.bytes = genesis_of(one).encode();
  CHECK(one.refused(again) == 409);
  CHECK(one.refused(TKASyncOfferRequest{}) == 400);  // no head
  CHECK(one.refused(offer_of({})) == 409);           // nothing in common
  TKASyncSendRequest nothing;
  CHECK(one.refused(nothing) == 400);
  nothing.head = genesis_of(one).hash().text();
  CHECK(one.ok<TKASyncSendResponse>(nothing).head == nothing.head);
  nothing.missing_aums = {{{0xa0}}};
  CHECK(one.refused(nothing) == 400);
  CHECK(one.refused(send_of(add_key({}, two.lock_secret, one.lock_secret))) == 409);  // unknown parent
  TKABootstrapRequest bad_head;
  bad_head.head = "x";
  CHECK(one.refused(bad_head) == 400);
}

TEST_CASE("LCK-20 the switch: no call is served, nobody is told") {
  const auto records = std::make_shared<MemoryRecords>();
  {
    Desk desk(test::desk_config(), records);
    LockClient one(desk, 1);
    switch_on(one);
  }
  auto config = test::desk_config();
  config.tailnet_lock = false;
  Desk desk(config, records);
  LockClient one(desk, 1);
  CHECK_FALSE(told(one));
  CHECK(one.refused(TKABootstrapRequest{}) == 501);
  CHECK(one.refused(TKAInitBeginRequest{}) == 501);
}

TEST_CASE("LCK-20 a node whose key has expired may not act") {
  Desk desk;
  LockClient one(desk, 1);
  RegisterRequest request = one.register_request();
  request.expiry = desk.clock.now.wall - std::chrono::hours{1};
  (void)one.Client::send(request);
  CHECK(one.refused(TKABootstrapRequest{}) == 403);
}

TEST_CASE("LCK-27 costly calls are rationed by node") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);  // two calls
  CHECK(one.refused(disable_with(Buffer(32, 1))) == 403);
  CHECK(one.refused(disable_with(Buffer(32, 2))) == 403);
  const test::Inbox& box = one.call(disable_with(secret));
  REQUIRE(box.refused);
  CHECK(box.refused->status == 429);
  CHECK(box.refused->retry_after == std::chrono::seconds{1});
  CHECK(one.refused(affected_by(one.lock_secret)) == 429);
  (void)two.ok<TKASignaturesUsingKeyResponse>(affected_by(one.lock_secret));
  CHECK(one.ok<TKABootstrapResponse>(TKABootstrapRequest{}).genesis_aum.bytes.size() > 0);
  desk.advance(std::chrono::milliseconds{1100});
  (void)one.ok<EmptyResponse>(disable_with(secret));
}

TEST_CASE("a stored lock that does not verify is not believed") {
  const auto records = std::make_shared<MemoryRecords>();
  Desk desk(test::desk_config(), records);
  LockClient one(desk, 1);
  LockRecord record;
  Buffer genesis = genesis_of(one).encode();
  genesis.back() ^= 1;
  record.updates = {share(genesis)};
  MemoryStore other(records);
  const Write write{RecordKind::lock, LockRecord::only_id, Revision{},
                    std::make_shared<const Record>(record)};
  other.submit(Ticket{1}, std::span(&write, 1));
  desk.pump();
  CHECK_FALSE(told(one));
  CHECK(one.refused(TKABootstrapRequest{}) == 503);
}

TEST_CASE("LCK-26 who must change its key gets what it can sign on") {
  coord::Tailnet tailnet;
  CoordinatorConfig config;
  coord::LockDesk desk(tailnet, config);
  const auto signer = test::lock_secret(1), wrapping = test::lock_secret(2), other = test::lock_secret(3);
  const auto machine = test::make_key<MachinePublic>(5);
  const auto signature = lock::sign_node(test::node(1), wrapping.public_key(), signer).encode();
  NodeRecord node;
  node.id = NodeId{1};
  node.machine = machine;
  node.key = test::node(1);
  node.key_signature = signature;
  tailnet.apply({Revision{1}, RecordKind::node, 1, std::make_shared<const Record>(node)}, {});
  RegisterRequest request;
  request.node_key = test::node(2);
  request.old_node_key = test::node(1);
  request.nl_key = wrapping.public_key();
  CHECK(desk.to_rotate(request, machine).empty());  // the lock is off
  CHECK(desk.accepted(test::node(9), signature) == signature);

  LockRecord record;
  record.updates = {share(test::genesis_of({trusted(signer)}, signer).encode())};
  CHECK(desk.apply({Revision{2}, RecordKind::lock, 1, std::make_shared<const Record>(record)}));
  CHECK(std::ranges::equal(desk.to_rotate(request, machine), signature));
  request.node_key = test::node(1);
  request.old_node_key = {};
  CHECK(std::ranges::equal(desk.to_rotate(request, machine), signature));
  CHECK(desk.to_rotate(request, test::make_key<MachinePublic>(6)).empty());
  RegisterRequest with_another = request;
  with_another.nl_key = other.public_key();
  CHECK(desk.to_rotate(with_another, machine).empty());
  RegisterRequest unable = request;
  unable.nl_key = {};
  CHECK(desk.to_rotate(unable, machine).empty());
  RegisterRequest done = request;
  done.node_key_signature.bytes = signature;
  CHECK(desk.to_rotate(done, machine).empty());

  CHECK(desk.accepted(test::node(1), signature) == signature);
  CHECK(desk.accepted(test::node(2), signature).empty());
  const auto rotated =
      lock::sign_rotation(test::node(2), *lock::NodeKeySignature::decode(signature), wrapping);
  CHECK(desk.accepted(test::node(2), rotated.encode()) == rotated.encode());
}

TEST_CASE("LCK-26 an expired node rotates its key and stays trusted; others' signatures are not kept") {
  Desk desk;
  LockClient one(desk, 1), two(desk, 2);
  switch_on(one);
  RegisterRequest logout = two.register_request();
  logout.expiry = desk.clock.now.wall - std::chrono::hours{1};
  (void)two.Client::send(logout);

  RegisterRequest renew = two.register_request("");
  renew.nl_key = two.lock_secret.public_key();
  const RegisterResponse expired = two.Client::send(renew);
  CHECK(expired.node_key_expired);
  CHECK(expired.node_key_signature.bytes == two.kept_signature());
  renew.old_node_key = two.node_key;
  renew.node_key = test::node(22);
  CHECK(two.Client::send(renew).node_key_signature == expired.node_key_signature);
  CHECK(desk.record(renew.node_key) == nullptr);

  const auto before = *lock::NodeKeySignature::decode(expired.node_key_signature.bytes);
  renew.auth.emplace().auth_key = test::reusable_key;
  renew.node_key_signature.bytes = lock::sign_rotation(renew.node_key, before, one.lock_secret).encode();
  const RegisterResponse wrongly = two.Client::send(renew);
  CHECK(wrongly.machine_authorized);
  REQUIRE(desk.record(renew.node_key) != nullptr);
  CHECK(desk.record(renew.node_key)->key_signature.empty());

  renew.node_key_signature.bytes = lock::sign_rotation(renew.node_key, before, two.lock_secret).encode();
  CHECK(two.Client::send(renew).node_key_signature.empty());
  CHECK(desk.record(renew.node_key)->key_signature == renew.node_key_signature.bytes);
  renew.node_key_signature = {};
  (void)two.Client::send(renew);  // says nothing: it stays
  CHECK_FALSE(desk.record(renew.node_key)->key_signature.empty());
}
