// SPDX-License-Identifier: BSD-3-Clause
#include "coord/name.h"

#include <random>

#include "support/catch.h"

namespace ts2021::test {

using coord::label_from_hostname;
using coord::NameTable;

TEST_CASE("API-33: labels from host names") {
  const auto label = [](std::string_view hostname) { return label_from_hostname(hostname, NodeId{7}); };
  CHECK(label("Alice") == "alice");
  CHECK(label("alice.local") == "alice");
  CHECK(label("alice.LOCALDOMAIN") == "alice");
  CHECK(label("alice.lan") == "alice");
  CHECK(label("alice.example.com") == "alice-example-com");
  CHECK(label("Bob's Mac Book_2@home") == "bobs-mac-book-2-home");
  CHECK(label("--a--") == "a");
  CHECK(label("   ") == "node-7");
  CHECK(label("") == "node-7");
  CHECK(label(".local") == "node-7");
  CHECK(label("localhost") == "node-7");
  CHECK(label("localhost.localdomain") == "node-7");
  CHECK(label("\xc3\xa4\xc3\xb6\xff") == "node-7");
  CHECK(label("m\xc3\xbc"
              "nchen\"\\\n") == "mnchen");
  CHECK(label(std::string(100, 'x')) == std::string(63, 'x'));
  CHECK(label(std::string(62, 'x') + "-yz") == std::string(62, 'x'));
}

TEST_CASE("API-33: any bytes give a valid label") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string hostname(random() % 80, ' ');
    for (auto& c : hostname) c = random() % 4 ? "aZ09-._ @"[random() % 9] : static_cast<char>(random());
    const auto label = label_from_hostname(hostname, NodeId{1});
    REQUIRE(!label.empty());
    REQUIRE(label.size() <= 63);
    REQUIRE(label.front() != '-');
    REQUIRE(label.back() != '-');
    REQUIRE(label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos);
  }
}

TEST_CASE("API-34: duplicates get a number") {
  NameTable table;
  CHECK(table.allocate("web", NodeId{1}) == "web");
  CHECK(table.allocate("web", NodeId{1}) == "web");
  CHECK(table.allocate("web", NodeId{2}) == "web-1");
  CHECK(table.allocate("web", NodeId{3}) == "web-2");
  CHECK(table.allocate("web-1", NodeId{4}) == "web-1-1");
  const std::string longest(63, 'x');
  CHECK(table.allocate(longest, NodeId{5}) == longest);
  CHECK(table.allocate(longest, NodeId{6}) == longest.substr(2) + "-1");
  table.release("web", NodeId{9});  // not his
  CHECK(table.allocate("web", NodeId{9}) == "web-3");
  table.release("web", NodeId{1});
  CHECK(table.allocate("web", NodeId{10}) == "web");
  CHECK(!table.take("web-2", NodeId{10}));
  CHECK(table.take("web-2", NodeId{3}));
}

}  // namespace ts2021::test
