// SPDX-License-Identifier: BSD-3-Clause
#include "coord/lock_desk.h"

#include <algorithm>
#include <utility>

#include "base/try.h"

namespace ts2021::coord {
namespace {

constexpr Instant::duration price = std::chrono::seconds{1};
constexpr Instant::duration credit = std::chrono::seconds{4};

constexpr std::string_view not_on = "the tailnet lock is not on";
constexpr std::string_view on_already = "the tailnet lock is on already";

int status_of(Errc code) {
  if (code == Errc::untrusted_lock_key) return 403;
  if (code == Errc::unknown_lock_update || code == Errc::limit_exceeded) return 409;
  if (code == Errc::out_of_memory) return 503;
  return 400;
}

// Whether `longer` begins with what `shorter` is.
bool begins_with(const std::vector<SharedBytes>& longer, const std::vector<SharedBytes>& shorter) {
  return shorter.size() <= longer.size() &&
         std::equal(shorter.begin(), shorter.end(), longer.begin(),
                    [](const SharedBytes& a, const SharedBytes& b) { return a == b || *a == *b; });
}

std::vector<Bytes> views(auto begin, auto end) {
  std::vector<Bytes> out;
  for (; begin != end; ++begin) out.emplace_back(**begin);
  return out;
}

Write with_signature(const NodeState& state, Bytes signature) {
  NodeRecord record = *state.record;
  record.key_signature.assign(signature.begin(), signature.end());
  return write_of(std::move(record), state.revision);
}

}  // namespace

// An answer, or a refusal; never both.
struct LockDesk::Outcome {
  Outcome(int code, std::string_view why) : status(code), text(why) {}
  explicit Outcome(Error error) : Outcome(status_of(error.code), ts2021::text(error.code)) {}
  template <class Message>
  explicit Outcome(Message message, std::vector<Write> first = {})
      : reply{std::move(message)}, writes(std::move(first)) {}

  int status = 200;
  std::string_view text;
  answer::LockReply reply;
  std::vector<Write> writes;
};

// --- the record ---

bool LockDesk::apply(const Changed& changed) {
  holder_ = changed.record;
  record_ = holder_ ? std::get_if<LockRecord>(holder_.get()) : nullptr;
  revision_ = record_ ? changed.revision : Revision{};
  broken_ = !load();
  if (broken_) authority_.reset();

  std::optional<TKAInfo> info;
  if (config_.tailnet_lock && authority_) info = TKAInfo{authority_->head().text(), false};
  if (config_.tailnet_lock && record_ && !record_->disablement_secret.empty()) info = TKAInfo{{}, true};
  if (info == info_) return false;
  info_ = std::move(info);
  return true;
}

// What is stored is verified again: a store may be older than its keys, or edited.
bool LockDesk::load() {
  if (!record_ || record_->updates.empty()) {
    authority_.reset();
    return true;
  }
  const auto& updates = record_->updates;
  const auto known = authority_ ? authority_->log() : std::vector<SharedBytes>{};
  if (known.empty() || !begins_with(updates, known)) {
    auto begun = lock::Authority::bootstrap(*updates.front());
    if (!begun) return false;
    authority_ = *std::move(begun);
  }
  const auto first_new = updates.begin() + static_cast<std::ptrdiff_t>(authority_->count());
  return authority_->apply(views(first_new, updates.end())).has_value();
}

// --- calls ---

Plan LockDesk::plan(const coord_input::Ask& ask, const question::Lock& lock, Now now) {
  Outcome made = std::visit(
      [&](const auto& request) -> Outcome {
        if (!config_.tailnet_lock) return {501, "the tailnet lock is switched off here"};
        if (!request || request->version == Capability{}) return {400, "the request has no version"};
        const NodeState* caller = tailnet_.find(request->node_key);
        if (!caller || !ask.machine || caller->record->machine != *ask.machine)  // LCK-20
          return {404, "node not found"};
        if (caller->expired || !caller->record->authorized) return {403, "the node may not do this now"};
        if (broken_) return {503, "the stored tailnet lock does not verify"};
        return answer(*request, {*caller, {ask.session, ask.call}, now});
      },
      lock.request);
  Plan plan;
  if (made.status == 200) {
    plan.writes = std::move(made.writes);
    plan.events.push_back(coord_event::Answer{ask.session, ask.call, std::move(made.reply)});
  } else {
    std::optional<std::chrono::seconds> later;
    if (made.status == 429) later = std::chrono::seconds{1};
    plan.events.push_back(coord_event::Refused{ask.session, ask.call, made.status, made.text, later});
  }
  return plan;
}

LockDesk::Outcome LockDesk::answer(const TKAInitBeginRequest& request, const Turn& turn) {
  if (authority_) return {409, on_already};
  if (!affords(turn)) return {429, "too many calls of the tailnet lock"};
  const auto begun = lock::Authority::bootstrap(request.genesis_aum.bytes);
  if (!begun) return Outcome(begun.error());
  if (lock::AUM::decode(*begun->genesis())->parent) return {400, "a genesis has no parent"};
  TKAInitBeginResponse reply;
  for (const auto& [id, state] : tailnet_.nodes()) {  // LCK-21
    const NodeRecord& node = *state.record;
    TKASignInfo& info = reply.need_signatures.emplace_back(TKASignInfo{id, node.key, {}});
    if (!node.lock_key.is_zero())
      info.rotation_pubkey.bytes.assign(node.lock_key.bytes().begin(), node.lock_key.bytes().end());
  }
  LockRecord record = copy();
  record.candidate = request.genesis_aum.bytes;
  record.candidate_by = turn.caller.record->id;
  return Outcome(std::move(reply), {write(std::move(record))});
}

LockDesk::Outcome LockDesk::answer(const TKAInitFinishRequest& request, const Turn& turn) {
  if (authority_) return {409, on_already};
  if (!record_ || record_->candidate.empty() || record_->candidate_by != turn.caller.record->id)
    return {409, "the tailnet lock was not begun by this node, or another has begun since"};
  if (!affords(turn)) return {429, "too many calls of the tailnet lock"};
  const auto begun = lock::Authority::bootstrap(record_->candidate);
  if (!begun) return Outcome(begun.error());
  if (!request.support_disablement.empty()) {
    const auto right = switches_off(*begun, request.support_disablement);
    if (!right) return Outcome(right.error());
    if (!*right) return {400, "the disablement secret is not of this tailnet lock"};
  }
  Outcome made = sign_all(request, *begun, turn.caller);
  if (made.status != 200) return made;
  LockRecord record;
  record.updates = begun->log();
  record.support_disablement = request.support_disablement.bytes;
  made.writes.push_back(write(std::move(record)));
  return made;
}

// LCK-22. Who came or changed its key since the lock was begun, is signed later.
LockDesk::Outcome LockDesk::sign_all(const TKAInitFinishRequest& request, const lock::Authority& authority,
                                     const NodeState& caller) const {
  std::vector<Write> writes;
  bool caller_signed = false;
  for (const auto& [id, signature] : request.signatures) {
    const auto decoded = lock::NodeKeySignature::decode(signature.bytes);
    if (!decoded) return Outcome(decoded.error());
    const auto key = decoded->node_key();
    if (!key) return Outcome(key.error());
    if (const auto good = authority.authorize(*key, signature.bytes); !good) return Outcome(good.error());
    const NodeState* state = tailnet_.find(id);
    if (!state || state->record->key != *key) continue;
    caller_signed = caller_signed || state == &caller;
    if (!std::ranges::equal(state->record->key_signature, signature.bytes))
      writes.push_back(with_signature(*state, signature.bytes));
  }
  if (!caller_signed) return {400, "the node would lock itself out"};
  return Outcome(EmptyResponse{}, std::move(writes));
}

LockDesk::Outcome LockDesk::answer(const TKABootstrapRequest& request, const Turn&) {
  if (!request.head.empty())
    if (const auto head = lock::AUMHash::parse(request.head); !head) return Outcome(head.error());
  TKABootstrapResponse reply;  // LCK-23
  if (authority_)
    reply.genesis_aum.bytes = *authority_->genesis();
  else if (record_ && !record_->disablement_secret.empty())
    reply.disablement_secret.bytes = record_->disablement_secret;
  else
    return {409, not_on};
  return Outcome(std::move(reply));
}

LockDesk::Outcome LockDesk::answer(const TKASyncOfferRequest& request, const Turn&) {
  if (!authority_) return {409, not_on};
  lock::Offer theirs;
  const auto head = lock::AUMHash::parse(request.head);
  if (!head) return Outcome(head.error());
  theirs.head = *head;
  for (const std::string& text : request.ancestors) {
    const auto ancestor = lock::AUMHash::parse(text);
    if (!ancestor) return Outcome(ancestor.error());
    theirs.ancestors.push_back(*ancestor);
  }
  const auto missing = authority_->missing(theirs);
  if (!missing) return Outcome(missing.error());
  const lock::Offer ours = authority_->offer();
  TKASyncOfferResponse reply;
  reply.head = ours.head.text();
  for (const lock::AUMHash& ancestor : ours.ancestors) reply.ancestors.push_back(ancestor.text());
  for (const SharedBytes& update : *missing) reply.missing_aums.push_back({*update});
  return Outcome(std::move(reply));
}

LockDesk::Outcome LockDesk::answer(const TKASyncSendRequest& request, const Turn&) {
  if (!authority_) return {409, not_on};
  if (const auto head = lock::AUMHash::parse(request.head); !head) return Outcome(head.error());
  std::vector<Bytes> updates;
  for (const Blob& update : request.missing_aums) updates.emplace_back(update.bytes);
  lock::Authority next = *authority_;
  if (const auto taken = next.apply(updates); !taken) return Outcome(taken.error());
  TKASyncSendResponse reply{next.head().text()};
  if (next.count() == authority_->count()) return Outcome(std::move(reply));
  LockRecord record = copy();
  record.updates = next.log();
  return Outcome(std::move(reply), {write(std::move(record))});
}

LockDesk::Outcome LockDesk::answer(const TKASubmitSignatureRequest& request, const Turn&) {
  if (!authority_) return {409, not_on};
  const auto decoded = lock::NodeKeySignature::decode(request.signature.bytes);
  if (!decoded) return Outcome(decoded.error());
  const auto key = decoded->node_key();
  if (!key) return Outcome(key.error());
  if (const auto good = authority_->authorize(*key, request.signature.bytes); !good)
    return Outcome(good.error());
  const NodeState* state = tailnet_.find(*key);  // LCK-24: whosever it is, the signature speaks for it
  if (!state) return {404, "no node has the signed key"};
  return Outcome(EmptyResponse{}, {with_signature(*state, request.signature.bytes)});
}

LockDesk::Outcome LockDesk::answer(const TKADisableRequest& request, const Turn& turn) {
  if (!authority_) return {409, not_on};
  if (const auto head = lock::AUMHash::parse(request.head); !head) return Outcome(head.error());
  if (!affords(turn)) return {429, "too many calls of the tailnet lock"};
  const auto right = switches_off(*authority_, request.disablement_secret);
  if (!right) return Outcome(right.error());
  if (!*right) return {403, "the disablement secret is wrong"};
  LockRecord record;  // LCK-25
  record.disablement_secret = request.disablement_secret.bytes;
  return Outcome(EmptyResponse{}, {write(std::move(record))});
}

LockDesk::Outcome LockDesk::answer(const TKASignaturesUsingKeyRequest& request, const Turn& turn) {
  if (!authority_) return {409, not_on};
  if (!affords(turn)) return {429, "too many calls of the tailnet lock"};
  TKASignaturesUsingKeyResponse reply;
  for (const auto& [id, state] : tailnet_.nodes()) {
    const Bytes signature = state.record->key_signature;
    const auto decoded = lock::NodeKeySignature::decode(signature);
    if (decoded && std::ranges::equal(decoded->authorizing_key(), request.key_id.bytes) &&
        authority_->authorize(state.record->key, signature))  // clients refuse the lot for a bad one
      reply.signatures.push_back({{signature.begin(), signature.end()}});
  }
  return Outcome(std::move(reply));
}

Result<bool> LockDesk::switches_off(const lock::Authority& authority, const Blob& secret) {
  if (proven_ && proven_->genesis == authority.oldest() && proven_->secret == secret.bytes) return true;
  TS_TRY(right, authority.valid_disablement(secret.bytes));
  if (right) proven_ = {authority.oldest(), secret.bytes};
  return right;
}

// LCK-27
bool LockDesk::affords(const Turn& turn) {
  const Instant now = turn.now.mono;
  std::erase_if(accounts_, [now](const auto& entry) { return entry.second.paid_until <= now; });
  Account& account = accounts_.try_emplace(turn.caller.record->id, Account{now, {}}).first->second;
  if (account.last == turn.call && account.paid_until > now) return true;  // the same plan once more
  if (account.paid_until + price > now + credit) return false;
  account.paid_until += price;
  account.last = turn.call;
  return true;
}

// --- registration ---

std::vector<std::uint8_t> LockDesk::accepted(const NodePublic& node, Bytes signature) const {
  if (authority_ && !authority_->authorize(node, signature)) return {};
  return {signature.begin(), signature.end()};
}

Bytes LockDesk::to_rotate(const RegisterRequest& request, const MachinePublic& machine) const {
  if (!config_.tailnet_lock || !authority_ || !request.node_key_signature.empty()) return {};
  const NodeState* before = tailnet_.find(request.node_key);
  if (!before) before = tailnet_.find(request.old_node_key);
  if (!before || before->record->machine != machine) return {};
  const Bytes signature = before->record->key_signature;
  // Who can't make the next signature would take the answer for a success.
  const auto decoded = lock::NodeKeySignature::decode(signature);
  if (!decoded || !std::ranges::equal(decoded->wrapping_key(), request.nl_key.bytes())) return {};
  return signature;
}

}  // namespace ts2021::coord
