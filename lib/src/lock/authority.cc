// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/lock/authority.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "lock/rules.h"

namespace ts2021::lock {

Result<Authority> Authority::bootstrap(Bytes genesis) {
  if (genesis.size() > max_size) return fail(Errc::limit_exceeded, 1259);
  TS_TRY(update, AUM::decode(genesis));
  if (update.kind != AUMKind::checkpoint) return fail(Errc::bad_lock_update, 1260);
  TS_CHECK(verify(update, *update.state));
  Authority out;
  const AUMHash hash = update.hash();
  out.state_ = *update.state;
  out.insert(hash, std::make_shared<const Link>(Link{std::move(update), share(genesis)}));
  out.path_.push_back(hash);
  return out;
}

Result<void> Authority::apply(std::span<const Bytes> updates) {
  Authority next = *this;
  for (const Bytes update : updates) TS_CHECK(next.append(update));
  *this = std::move(next);
  return {};
}

Result<void> Authority::append(Bytes encoded) {
  TS_TRY(update, AUM::decode(encoded));
  const AUMHash hash = update.hash();
  if (links_.contains(hash)) return {};
  if (!update.parent || !links_.contains(*update.parent)) return fail(Errc::unknown_lock_update, 1261);
  if (links_.size() >= max_updates || encoded.size() > max_size - size_)
    return fail(Errc::limit_exceeded, 1262);

  const AUMHash parent = *update.parent;
  const bool at_head = parent == head();
  State state = at_head ? state_ : state_at(parent);
  TS_CHECK(verify(update, state));
  TS_CHECK(lock::apply(update, state));
  insert(hash, std::make_shared<const Link>(Link{std::move(update), share(encoded)}));
  if (at_head) {  // the head has no other child
    path_.push_back(hash);
    state_ = std::move(state);
  } else {
    follow();
  }
  return {};
}

void Authority::insert(const AUMHash& hash, LinkPtr link) {
  if (link->update.parent) children_[*link->update.parent].push_back(hash);
  size_ += link->encoded->size();
  links_.emplace(hash, std::move(link));
  log_.push_back(hash);
}

// From the next checkpoint below it: the first update is one. What was verified once applies again.
State Authority::state_at(const AUMHash& hash) const {
  std::vector<const AUM*> above;
  const AUM* at = &links_.at(hash)->update;
  while (at->kind != AUMKind::checkpoint) {
    above.push_back(at);
    at = &links_.at(*at->parent)->update;
  }
  State state = *at->state;
  for (auto update = above.rbegin(); update != above.rend(); ++update) (void)lock::apply(**update, state);
  return state;
}

// LCK-9: the most votes, then a removal, then the lowest hash.
AUMHash Authority::preferred(const std::vector<AUMHash>& siblings, const State& state) const {
  const auto rank = [&](const AUMHash& hash) {
    const AUM& update = links_.at(hash)->update;
    return std::pair(weight(update, state), update.kind == AUMKind::remove_key);
  };
  return *std::ranges::max_element(siblings, [&](const AUMHash& a, const AUMHash& b) {
    const auto left = rank(a), right = rank(b);
    return left != right ? left < right : b < a;
  });
}

// Finds the branch in force anew, from the first update on.
void Authority::follow() {
  path_.resize(1);
  state_ = *links_.at(oldest())->update.state;
  for (auto next = children_.find(head()); next != children_.end(); next = children_.find(head())) {
    const AUMHash chosen = preferred(next->second, state_);
    (void)lock::apply(links_.at(chosen)->update, state_);
    path_.push_back(chosen);
  }
}

std::vector<SharedBytes> Authority::log() const {
  std::vector<SharedBytes> out;
  out.reserve(log_.size());
  for (const AUMHash& hash : log_) out.push_back(links_.at(hash)->encoded);
  return out;
}

const SharedBytes& Authority::genesis() const noexcept { return links_.find(oldest())->second->encoded; }

// LCK-11: the farther back, the fewer.
Offer Authority::offer() const {
  Offer out{head(), {}};
  for (std::size_t back = 4; back + 1 < path_.size(); back *= 4)
    out.ancestors.push_back(path_[path_.size() - 1 - back]);
  out.ancestors.push_back(oldest());
  return out;
}

Result<std::vector<SharedBytes>> Authority::missing(const Offer& other) const {
  std::map<AUMHash, std::size_t> places;
  for (std::size_t i = 0; i < path_.size(); ++i) places.emplace(path_[i], i);
  auto common = places.find(other.head);
  for (const AUMHash& ancestor : other.ancestors) {
    if (common != places.end()) break;
    common = places.find(ancestor);
  }
  if (common == places.end()) return fail(Errc::unknown_lock_update, 1263);
  std::vector<SharedBytes> out;
  for (std::size_t i = common->second + 1; i < path_.size(); ++i) out.push_back(links_.at(path_[i])->encoded);
  return out;
}

Result<void> Authority::authorize(const NodePublic& node, Bytes signature) const {
  TS_TRY(decoded, NodeKeySignature::decode(signature));
  const Key* trusted = state_.find(decoded.authorizing_key());
  if (trusted == nullptr) return fail(Errc::untrusted_lock_key, 1264);
  return decoded.verify(node, *trusted);
}

Result<bool> Authority::valid_disablement(Bytes secret) const noexcept {
  TS_TRY(value, disablement_value(secret));
  return std::ranges::find(state_.disablement_values, value) != state_.disablement_values.end();
}

}  // namespace ts2021::lock
