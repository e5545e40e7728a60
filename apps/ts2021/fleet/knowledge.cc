// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/knowledge.h"

namespace ts2021::app::fleet {
namespace {

// A number of its own for each node; the hash of a set is the sum of them (splitmix64's mixing).
std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

}  // namespace

void Knowledge::insert(Row& row, std::uint32_t node) {
  if (row.set.insert(node)) row.hash += mix(node);
}

void Knowledge::erase(Row& row, std::uint32_t node) {
  if (row.set.erase(node)) row.hash -= mix(node);
}

void Knowledge::forget(std::uint32_t viewer) {
  Row& row = rows_[viewer];
  row.hash = 0;
  if (row.set.empty())
    row.set = BitSet(nodes_);
  else
    row.set.clear();
}

void Knowledge::apply(std::uint32_t viewer, const Digest& message) {
  if (message.whole) forget(viewer);
  Row& row = rows_[viewer];
  for (const PeerNews& news : message.news) {
    if (news.what == PeerNews::What::listed)
      insert(row, news.node);
    else if (news.what == PeerNews::What::removed)
      erase(row, news.node);
  }
}

Knowledge::Difference Knowledge::compare(const BitSet& viewers, const BitSet& present) const {
  Difference out;
  std::uint64_t all = 0;
  const BitSet none(nodes_);
  present.for_each_beyond(none, [&](std::size_t node) {
    all += mix(node);
    return true;
  });
  viewers.for_each_beyond(none, [&](std::size_t viewer) {
    const Row& row = rows_[viewer];
    const bool itself = present.has(viewer);
    if (row.set.size() == present.size() - (itself ? 1 : 0) && row.hash == all - (itself ? mix(viewer) : 0))
      return true;
    ++out.viewers;
    present.for_each_beyond(row.set, [&](std::size_t node) {
      if (node != viewer) ++out.missing;
      return true;
    });
    row.set.for_each_beyond(present, [&](std::size_t) { return ++out.surplus, true; });
    if (row.set.has(viewer)) ++out.surplus;
    return true;
  });
  return out;
}

}  // namespace ts2021::app::fleet
