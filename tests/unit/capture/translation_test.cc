// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/translation.h"

#include "support/catch.h"
#include "support/support.h"

using namespace ts2021;

namespace {

std::string key(std::string_view prefix, char digit) { return std::string(prefix) + std::string(64, digit); }

}  // namespace

TEST_CASE("keys become what they are told to be, everywhere, and others stay") {
  Translation translation;
  translation.add(key("nodekey:", 'a'), key("nodekey:", 'b'));
  translation.add(key("nodekey:", 'a'), key("nodekey:", 'c'));  // the first holds
  REQUIRE(translation.apply("[" + key("nodekey:", 'a') + "," + key("mkey:", 'a') + "]") ==
          "[" + key("nodekey:", 'b') + "," + key("mkey:", 'a') + "]");
  REQUIRE(translation.apply("nodekey:aaa") == "nodekey:aaa");
}

TEST_CASE("unknown keys become fresh ones of their kind, each always the same; the zero key stays") {
  test::SeededEntropy entropy(1);
  Translation translation;
  for (const std::string_view prefix : {"nodekey:", "mkey:", "discokey:", "nlpub:"}) {
    const std::string once = translation.apply(key(prefix, '1'), &entropy);
    REQUIRE(once.starts_with(prefix));
    REQUIRE(once.size() == key(prefix, '1').size());
    REQUIRE(once != key(prefix, '1'));
    REQUIRE(translation.apply(key(prefix, '1'), &entropy) == once);
    REQUIRE(translation.apply(key(prefix, '1')) == once);
    REQUIRE(translation.apply(key(prefix, '2'), &entropy) != once);
    REQUIRE(translation.apply(key(prefix, '0'), &entropy) == key(prefix, '0'));
  }
}

TEST_CASE("words are replaced, the longest first") {
  Translation translation;
  translation.add("http://a", "http://b");
  translation.add("http://a/login", "http://c");
  translation.add("", "nothing");
  REQUIRE(translation.apply("see http://a/x or http://a/login.") == "see http://b/x or http://c.");
}

TEST_CASE("members of the same name and kind teach their keys") {
  Translation translation;
  const auto object = [](char digit) {
    return "{\"NodeKey\":\"" + key("nodekey:", digit) + "\",\"OldNodeKey\":\"" + key("nodekey:", '0') +
           "\",\"DiscoKey\":\"" + key("discokey:", digit) + "\",\"Version\":1}";
  };
  const std::string was = object('a'), is = object('b');
  translation.add_keys(as_bytes(was), as_bytes(is));
  REQUIRE(translation.apply(was) == is);
  translation.add_keys(as_bytes("{"), as_bytes("[]"));  // what is no object teaches nothing
}
