// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/fleet/ledger.h"

#include <algorithm>
#include <chrono>

namespace ts2021::app::fleet {
namespace {

std::uint64_t microseconds(Instant from, Instant to) {
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::microseconds>(to - from).count()));
}

bool tells(const PeerNews& news, const Change& change) {
  using What = PeerNews::What;
  const bool fresh = news.generation && *news.generation >= change.generation;
  switch (change.kind) {
    case Change::Kind::join:
      return news.what == What::listed || (news.what == What::patched && fresh);
    case Change::Kind::move:
      return news.what != What::removed && fresh;
    case Change::Kind::leave:
      return news.what == What::removed || news.online == false;
  }
  return false;
}

}  // namespace

void Ledger::begin(const Change& change, const BitSet& viewers, bool held) {
  Open open{change, viewers, change.at, held};
  open.viewers.erase(change.node);
  Tally& tally = tallies_[static_cast<std::size_t>(change.kind)];
  ++tally.changes;
  if (open.over()) {
    ++tally.complete;
    return;
  }
  missing_ += open.viewers.size();
  open_[change.node].push_back(std::move(open));
  busy_.insert(change.node);
}

bool Ledger::saw(std::uint32_t viewer, const PeerNews& news, Instant at) {
  bool delivered = false, complete = false;
  for (Open& open : open_[news.node]) {
    if (!tells(news, open.change) || !open.viewers.has(viewer)) continue;
    delivered = true;
    tallies_[static_cast<std::size_t>(open.change.kind)].each.add(microseconds(open.change.at, at));
    complete |= arrived(open, viewer, at);
  }
  if (complete) sweep(news.node);
  return delivered;
}

bool Ledger::arrived(Open& open, std::uint32_t viewer, Instant at) {
  open.viewers.erase(viewer);
  open.last = std::max(open.last, at);
  --missing_;
  return open.over();
}

void Ledger::sweep(std::uint32_t node) {
  std::erase_if(open_[node], [this](const Open& open) {
    if (!open.over()) return false;
    Tally& tally = tallies_[static_cast<std::size_t>(open.change.kind)];
    ++tally.complete;
    if (open.last != open.change.at) tally.last.add(microseconds(open.change.at, open.last));
    return true;
  });
  if (open_[node].empty()) busy_.erase(node);
}

void Ledger::release(std::uint32_t node) {
  for (Open& open : open_[node]) open.held = false;
  sweep(node);
}

void Ledger::viewer_came(std::uint32_t viewer, const BitSet& known) {
  for (const std::uint32_t node : busy_) {
    if (node == viewer || known.has(node)) continue;
    for (Open& open : open_[node])
      if (open.held && open.viewers.insert(viewer)) ++missing_;
  }
}

void Ledger::viewer_left(std::uint32_t viewer) {
  std::vector<std::uint32_t> complete;
  for (const std::uint32_t node : busy_)
    for (Open& open : open_[node])
      if (open.viewers.has(viewer) && arrived(open, viewer, open.last)) complete.push_back(node);
  for (const std::uint32_t node : complete) sweep(node);
}

void Ledger::drop(std::uint32_t node, Change::Kind kind) {
  std::erase_if(open_[node], [&](const Open& open) {
    if (open.change.kind != kind) return false;
    missing_ -= open.viewers.size();
    return true;
  });
  if (open_[node].empty()) busy_.erase(node);
}

void Ledger::drop_all() {
  for (const std::uint32_t node : busy_) open_[node].clear();
  busy_.clear();
  missing_ = 0;
}

std::vector<Ledger::Pair> Ledger::some_missing(std::size_t count) const {
  std::vector<Pair> out;
  const BitSet none(open_.size());
  for (const std::uint32_t node : busy_)
    for (const Open& open : open_[node])
      open.viewers.for_each_beyond(none, [&](std::size_t viewer) {
        if (out.size() < count) out.push_back({static_cast<std::uint32_t>(viewer), node});
        return out.size() < count;
      });
  return out;
}

}  // namespace ts2021::app::fleet
