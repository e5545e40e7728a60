// SPDX-License-Identifier: BSD-3-Clause
#include "file_store.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "conformance/store_suite.h"
#include "support/catch.h"
#include "ts2021/msg/hostinfo.h"
#include "ts2021/msg/node.h"

using namespace ts2021;

namespace {

struct FileWorld : test::StoreWorld {
  FileWorld() {
    std::string name = (std::filesystem::temp_directory_path() / "records-XXXXXX").string();
    close(mkstemp(name.data()));
    path = name;
    file = std::make_shared<example::RecordFile>(path);
  }
  ~FileWorld() override { std::filesystem::remove(path); }
  std::unique_ptr<Store> open() override { return std::make_unique<example::FileStore>(file); }
  void restart() {
    file.reset();
    file = std::make_shared<example::RecordFile>(path);
  }
  // What is there, in the order of revisions.
  std::vector<Changed> records() {
    const auto store = open();
    store->watch(Revision{});
    std::vector<Changed> all;
    StoreEvent event;
    while (store->poll({&event, 1}) == 1)
      if (const auto* one = std::get_if<Changed>(&event)) all.push_back(*one);
    return all;
  }
  Revision commit(std::vector<Write> writes) {
    const auto store = open();
    store->submit(Ticket{1}, writes);
    StoreEvent event;
    REQUIRE(store->poll({&event, 1}) == 1);
    REQUIRE(std::holds_alternative<Committed>(event));
    return std::get<Committed>(event).revision;
  }
  std::filesystem::path path;
  std::shared_ptr<example::RecordFile> file;
};

Write put(Record record, Revision expected = {}) {
  return {kind(record), id(record), expected, std::make_shared<const Record>(std::move(record))};
}
UserRecord user(std::uint64_t id, std::string name) {
  UserRecord record;
  record.id = UserId{id};
  record.login_name = std::move(name);
  return record;
}

}  // namespace

TEST_CASE("FileStore is a store") {
  test::store_suite([] { return std::make_unique<FileWorld>(); });
}

TEST_CASE("what was committed is there after a restart, with its revision") {
  FileWorld world;
  const Revision first = world.commit({put(user(1, "a")), put(user(2, "b"))});
  const Revision second = world.commit({put(user(1, "c"), first)});
  world.commit({{RecordKind::user, 2, first, nullptr}});
  world.restart();
  const auto records = world.records();
  REQUIRE(records.size() == 1);
  CHECK(records[0].revision == second);
  CHECK(std::get<UserRecord>(*records[0].record).login_name == "c");
  CHECK(world.commit({put(user(1, "d"), second)}) > second);
}

TEST_CASE("every member of every record is kept") {
  NodeRecord node;
  node.id = NodeId{7};
  node.stable_id = "stable";
  node.machine = MachinePublic::from_bytes(std::array<std::uint8_t, 32>{1});
  node.key = NodePublic::from_bytes(std::array<std::uint8_t, 32>{2});
  node.disco = DiscoPublic::from_bytes(std::array<std::uint8_t, 32>{3});
  node.lock_key = TailnetLockPublic::from_bytes(std::array<std::uint8_t, 32>{4});
  node.key_signature = {1, 2, 3};
  node.user = UserId{1};
  node.tags = {"tag:a", "tag:b"};
  node.requested_tags = {"tag:c"};
  node.given_name = "given";
  node.name_is_set = true;
  node.hostname = "host";
  node.full_name = "full.name";
  node.v4 = {0x64400001};
  Hostinfo hostinfo;
  hostinfo.hostname = "reported";
  node.hostinfo = std::make_shared<const Hostinfo>(hostinfo);
  node.endpoints = {*IpPort::parse("192.0.2.1:41641"), *IpPort::parse("[2001:db8::1]:1")};
  node.endpoint_types = {1, 2};
  node.home_derp = 9;
  node.capability = Capability{138};
  node.created = WallTime(std::chrono::milliseconds(5));
  node.key_expiry = WallTime(std::chrono::milliseconds(6));
  node.last_seen = WallTime(std::chrono::milliseconds(7));
  node.ephemeral = true;
  node.authorized = false;
  node.auth_key = 11;
  node.approved_routes = {*IpPrefix::parse("10.0.0.0/8")};
  node.capabilities = {{"cap", {*RawJson::parse("1")}}};
  node.attributes = {{"attribute", *RawJson::parse("\"x\"")}};
  Node shown;
  shown.name = "shown";
  node.put = std::make_shared<const Node>(shown);

  AuthKeyRecord key;
  key.id = 3;
  key.digest = {9};
  key.user = UserId{1};
  key.tags = {"tag:d"};
  key.reusable = key.ephemeral = key.used = key.revoked = key.preset = true;
  key.preauthorized = false;
  key.created = WallTime(std::chrono::milliseconds(8));
  key.expiry = WallTime(std::chrono::milliseconds(9));
  UserRecord owner = user(1, "login");
  owner.display_name = "display";
  owner.provider = "provider";
  owner.created = WallTime(std::chrono::milliseconds(10));
  SettingRecord setting;
  setting.id = SettingId::counters;
  setting.next_id = 12;
  LockRecord lock;
  lock.updates = {share("genesis"), share("second")};
  lock.disablement_secret = {1};
  lock.support_disablement = {2};
  lock.candidate = {3};
  lock.candidate_by = NodeId{7};

  FileWorld world;
  world.commit({put(node), put(owner), put(key), put(setting), put(lock)});
  world.restart();
  const auto records = world.records();
  REQUIRE(records.size() == 5);
  const auto& n = std::get<NodeRecord>(*records[0].record);
  CHECK(std::tie(n.id, n.stable_id, n.machine, n.key, n.disco, n.lock_key, n.key_signature, n.user) ==
        std::tie(node.id, node.stable_id, node.machine, node.key, node.disco, node.lock_key,
                 node.key_signature, node.user));
  CHECK(std::tie(n.tags, n.requested_tags, n.given_name, n.name_is_set, n.hostname, n.full_name, n.v4) ==
        std::tie(node.tags, node.requested_tags, node.given_name, node.name_is_set, node.hostname,
                 node.full_name, node.v4));
  CHECK(n.hostinfo->hostname == "reported");
  CHECK(n.put->name == "shown");
  CHECK(std::tie(n.endpoints, n.endpoint_types, n.home_derp, n.capability, n.created, n.key_expiry,
                 n.last_seen) == std::tie(node.endpoints, node.endpoint_types, node.home_derp,
                                          node.capability, node.created, node.key_expiry, node.last_seen));
  CHECK(std::tie(n.ephemeral, n.authorized, n.auth_key, n.approved_routes, n.capabilities, n.attributes) ==
        std::tie(node.ephemeral, node.authorized, node.auth_key, node.approved_routes, node.capabilities,
                 node.attributes));
  const auto& u = std::get<UserRecord>(*records[1].record);
  CHECK(std::tie(u.id, u.login_name, u.display_name, u.provider, u.created) ==
        std::tie(owner.id, owner.login_name, owner.display_name, owner.provider, owner.created));
  const auto& k = std::get<AuthKeyRecord>(*records[2].record);
  CHECK(std::tie(k.id, k.digest, k.user, k.tags, k.reusable, k.ephemeral, k.preauthorized, k.used, k.revoked,
                 k.preset, k.created, k.expiry) ==
        std::tie(key.id, key.digest, key.user, key.tags, key.reusable, key.ephemeral, key.preauthorized,
                 key.used, key.revoked, key.preset, key.created, key.expiry));
  CHECK(std::get<SettingRecord>(*records[3].record).next_id == 12);
  const auto& l = std::get<LockRecord>(*records[4].record);
  REQUIRE(l.updates.size() == 2);
  CHECK(*l.updates[1] == *lock.updates[1]);
  CHECK(std::tie(l.disablement_secret, l.support_disablement, l.candidate, l.candidate_by) ==
        std::tie(lock.disablement_secret, lock.support_disablement, lock.candidate, lock.candidate_by));
}

TEST_CASE("a transaction that was cut off is dropped, whole; nonsense is refused") {
  FileWorld world;
  world.commit({put(user(1, "a"))});
  const auto whole = std::filesystem::file_size(world.path);
  world.commit({put(user(2, "b")), put(user(3, "c"))});
  const auto both = std::filesystem::file_size(world.path);
  for (auto size = whole; size < both; ++size) {
    std::filesystem::resize_file(world.path, size);
    world.restart();
    CHECK(world.records().size() == 1);
    CHECK(std::filesystem::file_size(world.path) == whole);
    world.commit({put(user(2, "b")), put(user(3, "c"))});
    REQUIRE(std::filesystem::file_size(world.path) == both);
  }
  world.restart();
  CHECK(world.records().size() == 3);
  std::ofstream(world.path, std::ios::binary | std::ios::app) << std::string("\5\0\0\0abcde", 9);
  CHECK_THROWS(world.restart());
}

TEST_CASE("each byte of a file may be wrong: it is refused or read, and nothing worse") {
  FileWorld world;
  NodeRecord node;
  node.id = NodeId{7};
  node.stable_id = "stable";
  node.tags = {"tag:a"};
  node.hostinfo = std::make_shared<const Hostinfo>();
  world.commit({put(node), put(user(1, "a"))});
  std::ifstream in(world.path, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0xff);
    std::ofstream(world.path, std::ios::binary | std::ios::trunc) << bad;
    try {
      world.restart();
    } catch (const std::runtime_error&) {
    }
  }
}
