// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/knowledge.h"

#include <algorithm>
#include <random>

#include "support/catch.h"

namespace ts2021::app::fleet {
namespace {

using What = PeerNews::What;
using Difference = Knowledge::Difference;

Digest message(bool whole, std::initializer_list<std::pair<std::uint32_t, What>> news) {
  Digest out;
  out.whole = whole;
  for (const auto& [node, what] : news) out.news.push_back({node, what, {}, {}});
  return out;
}
BitSet set_of(std::initializer_list<std::size_t> numbers) {
  BitSet out(100);
  for (const auto number : numbers) out.insert(number);
  return out;
}

TEST_CASE("knowledge: lists replace, changes add and take away") {
  Knowledge knowledge(100);
  knowledge.forget(0);
  knowledge.apply(0, message(true, {{1, What::listed}, {2, What::listed}}));
  knowledge.apply(0, message(false, {{70, What::listed}, {1, What::removed}, {5, What::patched}}));
  CHECK(knowledge.peers(0) == 2);
  CHECK(knowledge.compare(set_of({0}), set_of({0, 2, 70})) == Difference{});
  CHECK(knowledge.compare(set_of({0}), set_of({0, 1, 2, 70})) == Difference{1, 1, 0});
  CHECK(knowledge.compare(set_of({0}), set_of({0, 2})) == Difference{1, 0, 1});
  CHECK(knowledge.compare(set_of({0}), set_of({0, 3, 70})) == Difference{1, 1, 1});  // as many, others
  knowledge.apply(0, message(true, {{4, What::listed}}));
  CHECK(knowledge.compare(set_of({0}), set_of({0, 4})) == Difference{});
  knowledge.apply(0, message(false, {{0, What::listed}}));  // itself
  CHECK(knowledge.compare(set_of({0}), set_of({0, 4})).surplus == 1);
  knowledge.forget(0);
  CHECK(knowledge.peers(0) == 0);
  CHECK(knowledge.hash(0) == 0);
}

TEST_CASE("knowledge: the hash is of the set, not of its history") {
  Knowledge knowledge(100);
  std::mt19937 random(3);
  std::vector<std::uint32_t> numbers;
  for (std::uint32_t i = 1; i < 60; ++i) numbers.push_back(i);
  for (std::uint32_t viewer : {0u, 99u}) {
    knowledge.forget(viewer);
    std::shuffle(numbers.begin(), numbers.end(), random);
    for (const auto node : numbers) {
      knowledge.apply(viewer,
                      message(false, {{node, What::listed}, {node, What::listed}, {98, What::listed}}));
      knowledge.apply(viewer, message(false, {{98, What::removed}, {98, What::removed}}));
    }
  }
  CHECK(knowledge.hash(0) == knowledge.hash(99));
  knowledge.apply(0, message(false, {{7, What::removed}, {98, What::listed}}));
  CHECK(knowledge.peers(0) == knowledge.peers(99));
  CHECK(knowledge.hash(0) != knowledge.hash(99));
}

}  // namespace
}  // namespace ts2021::app::fleet
