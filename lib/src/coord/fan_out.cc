// SPDX-License-Identifier: BSD-3-Clause
#include "coord/fan_out.h"

#include <algorithm>

#include "coord/map_sections.h"
#include "coord/planted.h"
#include "ts2021/msg/downlevel.h"

namespace ts2021::coord {
namespace {

constexpr Instant::duration longest_round_pause = std::chrono::seconds{1};
constexpr Instant::duration longest_full_map = std::chrono::seconds{5};

Instant::duration with_jitter(Instant::duration silence, Entropy& entropy) {  // MAP-35
  std::array<std::uint8_t, 2> random{};
  entropy.fill(random);
  const Instant::duration most = std::min<Instant::duration>(silence * 9 / 50, std::chrono::seconds{9});
  return silence + most * ((random[0] << 8) | random[1]) / 65'536;
}

bool runs_ssh(const NodeState& node) {
  const Hostinfo* host = node.record->hostinfo.get();
  return host && !host->ssh_host_keys.empty() && node.record->authorized;
}

}  // namespace

FanOut::FanOut(Tailnet& tailnet, Entropy& entropy, const CoordinatorConfig& config,
               std::shared_ptr<const Policy> policy)
    : tailnet_(tailnet),
      entropy_(entropy),
      config_(config),
      policy_(std::move(policy)),
      grants_(tailnet),
      visibility_(tailnet),
      settings_(config) {}

Snapshot FanOut::snapshot(WallTime now) const {
  return {tailnet_, *policy_, grants_, settings_, overrides_, visibility_, now};
}

void FanOut::open(PollKey key, NodeId node, const MapRequest& request) {
  Poll poll;
  poll.node = node;
  poll.capability = request.version;
  poll.compression = parse_compression(request.compress);
  poll.kind = kind_of(request);
  poll.silence = with_jitter(config_.keep_alive, entropy_);
  if (!polls_.emplace(key, poll).second) return;
  fresh_.push_back(key);
  if (poll.kind != MapKind::poll && poll.kind != MapKind::silent_poll) return;
  auto& current = poll.kind == MapKind::poll ? live_ : silent_;
  const auto [at, only] = current.try_emplace(node, key);
  if (only) return;
  // MAP-36: the new one is registered before the old one ends, so that the node never looks absent.
  const PollKey old = std::exchange(at->second, key);
  end(polls_.find(old));
}

void FanOut::end(Polls::iterator poll) {
  events_.push_back(coord_event::MapEnd{poll->first.session, poll->first.call});
  drop(poll);
}

void FanOut::drop(Polls::iterator poll) {
  leave(poll->second);
  unfile(poll->second);
  polls_.erase(poll);
}

void FanOut::leave(Poll& poll) {
  if (const auto round = std::exchange(poll.round, 0u); round != 0 && round == round_number_) --round_out_;
  if (std::exchange(poll.of_full_maps, false)) --full_maps_out_;
}

std::optional<NodeId> FanOut::close(PollKey key) {
  std::erase_if(events_, [key](const CoordEvent& event) { return belongs_to(event, key); });
  const auto at = polls_.find(key);
  if (at == polls_.end()) return std::nullopt;
  const NodeId node = at->second.node;
  drop(at);
  if (const auto silent = silent_.find(node); silent != silent_.end() && silent->second == key)
    silent_.erase(silent);
  const auto live = live_.find(node);
  if (live == live_.end() || live->second != key) return std::nullopt;
  live_.erase(live);
  return node;
}

void FanOut::taken(PollKey key) {
  const auto at = polls_.find(key);
  if (at == polls_.end() || !at->second.in_flight) return;
  Poll& poll = at->second;
  poll.in_flight = false;
  leave(poll);
  if (planted(Planted::skips_while_slow)) poll.cursor = tailnet_.log().head();
  if (told(poll) < due() || takes_one_shot(poll))
    behind_.push_back(key);
  else if (auto frame = owed_keep_alive(key, poll))
    events_.push_back(*std::move(frame));
}

void FanOut::end_polls_of(NodeId node, const NodeState& last) {
  settings_.forget(node);
  one_shots_.forget(node);
  if (overrides_.of(node).unsigned_peer_api_only)
    renew_all();  // TEST-34: filters need not list others for it
  overrides_.forget(node);
  renewed_.erase(node);
  std::vector<PollKey> keys;
  for (auto* polls : {&live_, &silent_})
    if (const auto at = polls->find(node); at != polls->end()) {
      keys.push_back(at->second);
      polls->erase(at);
    }
  for (const PollKey& key : fresh_)  // fetches are nowhere else
    if (const auto at = polls_.find(key); at != polls_.end() && at->second.node == node) keys.push_back(key);
  for (const PollKey& key : keys)
    if (const auto at = polls_.find(key); at != polls_.end()) end_for_good(at, last);
}

void FanOut::end_for_good(Polls::iterator poll, const NodeState& last) {
  const auto [session, call] = poll->first;
  if (poll->second.fresh) {
    events_.push_back(coord_event::Refused{session, call, 404, "node not found", std::nullopt});
    return drop(poll);
  }
  if (!poll->second.in_flight)
    if (auto pieces = pack(farewell(snapshot(), last), poll->second.capability, poll->second.compression))
      events_.push_back(coord_event::MapFrame{session, call, std::move(pieces)});
  end(poll);
}

void FanOut::set_policy(std::shared_ptr<const Policy> policy) {
  policy_ = std::move(policy);
  renew_all();
  grants_.follow(*policy_, true);
  visibility_.follow(true);
}

void FanOut::rules_changed(Now now) {
  settings_.rules_changed(tailnet_.log().advance(), now.wall);
  renew_all();
}

void FanOut::renew(NodeId node) {
  renewed_[node] = tailnet_.log().advance();
  concerned_.push_back(node);
}

void FanOut::renew_all() {
  all_renewed_ = tailnet_.log().advance();
  full_maps_.forget();
}

Position FanOut::renewed(NodeId node) const {
  const auto at = renewed_.find(node);
  return at == renewed_.end() ? all_renewed_ : std::max(all_renewed_, at->second);
}

void FanOut::wake(bool repeat) {
  woken_ = tailnet_.log().advance();
  if (repeat) settings_.repeat_all(woken_);
}

void FanOut::set_messages(NodeId node, const Settings::MessageChanges& changes) {
  settings_.set_messages(node, changes, tailnet_.log().advance());
  if (node != NodeId{}) concerned_.push_back(node);
}

void FanOut::set_client_version(std::optional<ClientVersion> version) {
  settings_.set_client_version(std::move(version), tailnet_.log().advance());
}

void FanOut::set_dial_plan(std::optional<ControlDialPlan> plan) {
  settings_.set_dial_plan(std::move(plan), tailnet_.log().advance());
}

void FanOut::set_lock(std::optional<TKAInfo> lock) {
  settings_.set_lock(std::move(lock), tailnet_.log().advance());
}

void FanOut::lock_head_reported(NodeId node, const std::string& head) {  // MAP-51
  if (head.empty() || !settings_.lock() || settings_.lock()->head == head) return;
  settings_.repeat(Section::lock, node, tailnet_.log().advance());
  concerned_.push_back(node);
}

bool FanOut::push(NodeId node, OneShot what, Instant until) {
  if (!one_shots_.push(node, std::move(what), until)) return false;
  const auto live = live_.find(node);
  if (live != live_.end() && !polls_.find(live->second)->second.in_flight) behind_.push_back(live->second);
  return true;
}

void FanOut::advance(Now now) {
  now_ = now;
  grants_.follow(*policy_);
  visibility_.follow();
  full_maps_.follow();
  one_shots_.expire(now.mono);
  everybody_.clear();
  send_keep_alives();
  give_up_on_slow_full_maps();
  if (!round_.empty() || !round_is_over()) return;
  if (now.mono >= next_round_) start_round();
}

// A round lasts until its frames have left, a few slow readers apart.
bool FanOut::round_is_over() {
  if (round_measured_) return true;
  const auto longest = config_.test_mode ? Instant::duration::zero() : longest_round_pause;
  if (round_out_ > round_size_ / 8 + 2 && now_.mono - round_started_ < longest / 4) return false;
  round_measured_ = true;
  next_round_ = round_started_ + std::min(4 * (now_.mono - round_started_), longest);
  return true;
}

void FanOut::give_up_on_slow_full_maps() {
  while (!full_maps_begun_.empty()) {
    const auto& [begun, key] = full_maps_begun_.front();
    const auto at = polls_.find(key);
    if (at != polls_.end() && at->second.of_full_maps) {
      if (begun + longest_full_map > now_.mono) return;
      at->second.of_full_maps = false;
      --full_maps_out_;
    }
    full_maps_begun_.pop_front();
  }
}

void FanOut::start_round() {
  const Position head = due();
  if (round_head_ == head && behind_.empty()) return;
  round_.assign(behind_.begin(), behind_.end());
  behind_.clear();
  if (round_head_ != head) call_audiences(head);
  round_head_ = head;
  if (round_.empty()) return;
  ++counters_.rounds;
  counters_.visits += round_.size();
  round_size_ = round_.size();
  if (++round_number_ == 0) ++round_number_;
  round_out_ = 0;
  round_started_ = now_.mono;
  round_measured_ = false;
}

void FanOut::call_audiences(Position head) {
  // First, while what audiences have heard ends before it.
  tailnet_.log().since(round_head_, [this](const ChangeLog::Change& change) { set_apart(change.node); });
  for (const NodeId node : concerned_) set_apart(node);
  concerned_.clear();

  std::erase_if(audiences_, [](const auto& one) { return one.second.empty(); });
  Position slowest = head;
  bool all = true;
  for (auto& [hears, audience] : audiences_) {
    const Position heard = audience.heard();
    if (!config_.test_mode && all_renewed_ <= heard && !has_news(snapshot(), hears, heard)) {
      audience.move_on(head);
      all = false;
      continue;
    }
    audience.call(head, [&](const Polls::value_type& of) {
      const auto& [key, poll] = of;
      slowest = std::min(slowest, poll.cursor);
      if (!poll.in_flight && poll.cursor < head) round_.push_back(key);
    });
  }
  if (all) tailnet_.log().forget_removed(slowest);  // what went away is news to all
}

void FanOut::set_apart(NodeId node) {
  for (const auto* polls : {&live_, &silent_}) {
    const auto at = polls->find(node);
    if (at == polls->end()) continue;
    auto& [key, poll] = *polls_.find(at->second);
    poll.cursor = told(poll);
    poll.apart = true;
    if (!poll.fresh && !poll.in_flight) round_.push_back(key);
  }
}

void FanOut::file(Polls::value_type& of) {
  Poll& poll = of.second;
  poll.apart = false;
  const NodeState* self = tailnet_.find(poll.node);
  const Hears hears{poll.view, poll.ssh || (self && runs_ssh(*self)),
                    !understands_cap_sources(poll.capability), poll.concerned != NodePublic{}};
  Audience& audience = audiences_.try_emplace(hears, poll.cursor).first->second;
  if (poll.audience == &audience) return;
  unfile(poll);
  audience.add(of);
}

void FanOut::unfile(Poll& poll) {
  if (poll.audience) poll.audience->remove(poll);
}

void FanOut::send_keep_alives() {
  while (!keep_alives_.empty() && keep_alives_.top().first <= now_.mono) {
    const PollKey key = keep_alives_.top().second;
    keep_alives_.pop();
    const auto at = polls_.find(key);
    if (at == polls_.end()) continue;
    Poll& poll = at->second;
    if (poll.last_frame + poll.silence <= now_.mono) {
      if (poll.in_flight)
        poll.owes_keep_alive = true;
      else if (auto frame = keep_alive(key, poll))
        events_.push_back(*std::move(frame));
      poll.last_frame = now_.mono;
    }
    keep_alives_.emplace(poll.last_frame + poll.silence, key);
  }
}

std::optional<CoordEvent> FanOut::keep_alive(PollKey key, Poll& poll) {
  SharedPieces& frame = keep_alive_frames_[poll.compression];
  if (!frame) frame = packer_.keep_alive(poll.compression);
  if (!frame) return std::nullopt;
  poll.in_flight = true;
  ++counters_.frames;
  return coord_event::MapFrame{key.session, key.call, frame};
}

std::optional<CoordEvent> FanOut::next_event() {
  if (events_.empty()) return serve_next();
  CoordEvent event = std::move(events_.front());
  events_.pop_front();
  return event;
}

std::optional<CoordEvent> FanOut::serve_next() {
  const bool room = full_maps_out_ < max_full_maps_out;
  while ((room && !fresh_.empty()) || !round_.empty()) {
    auto& queue = room && !fresh_.empty() ? fresh_ : round_;
    const PollKey key = queue.front();
    if (!room && wants_full_map(key)) return std::nullopt;
    queue.pop_front();
    const auto at = polls_.find(key);
    if (at == polls_.end() || at->second.in_flight) continue;
    Poll& poll = at->second;
    if (!poll.fresh && told(poll) >= due() && !takes_one_shot(poll)) {
      if (auto frame = owed_keep_alive(key, poll)) return frame;
      continue;
    }
    const bool first = poll.fresh;
    const auto full_maps = counters_.full_maps;
    SharedPieces pieces;
    const Serve served = serve(poll, pieces);
    if (served != Serve::end) file(*at);
    switch (served) {
      case Serve::nothing:
        if (auto frame = owed_keep_alive(key, poll)) return frame;
        continue;
      case Serve::end:
        if (const auto live = live_.find(poll.node); live != live_.end() && live->second == key)
          live_.erase(live);
        if (const auto silent = silent_.find(poll.node); silent != silent_.end() && silent->second == key)
          silent_.erase(silent);
        drop(at);
        return coord_event::MapEnd{key.session, key.call};
      case Serve::frame:
        break;
    }
    if (!pieces) return coord_event::Drop{key.session, fail(Errc::limit_exceeded, 900)};
    ++counters_.frames;
    poll.last_frame = now_.mono;
    poll.in_flight = true;
    poll.owes_keep_alive = false;
    if (!first) {
      poll.round = round_number_;
      ++round_out_;
    }
    if (counters_.full_maps != full_maps) begin_full_map(key, poll);
    if (poll.kind == MapKind::fetch || poll.kind == MapKind::silent_fetch)
      end(at);
    else if (first)
      keep_alives_.emplace(poll.last_frame + poll.silence, key);
    return coord_event::MapFrame{key.session, key.call, std::move(pieces)};
  }
  return std::nullopt;
}

bool FanOut::wants_full_map(PollKey key) const {
  const auto at = polls_.find(key);
  return at != polls_.end() && !at->second.in_flight && told(at->second) < renewed(at->second.node);
}

void FanOut::begin_full_map(PollKey key, Poll& poll) {
  poll.of_full_maps = true;
  ++full_maps_out_;
  full_maps_begun_.emplace_back(now_.mono, key);
}

FanOut::Serve FanOut::serve(Poll& poll, SharedPieces& out) {
  const ChangeLog& log = tailnet_.log();
  const NodeState* self = tailnet_.find(poll.node);
  if (!self) return Serve::end;
  if (config_.test_mode && !poll.fresh && told(poll) >= due()) return serve_one_shot(poll, out);
  const Position cursor = told(poll);
  poll.cursor = log.head();
  if (planted(Planted::overtakes) && poll.fresh && !round_.empty())
    return serve_delta(poll, *self, Position{static_cast<std::uint64_t>(poll.cursor) - 1}, out);
  const bool fresh = std::exchange(poll.fresh, false);
  const bool anew = config_.test_mode || cursor < renewed(poll.node);
  const bool asks = fresh || anew || log.parts_since(poll.node, cursor).has(Part::subject);
  const auto view = asks ? view_of(snapshot(), *self) : poll.view;
  const bool lost = !fresh && cursor < log.floor();
  const bool other_view = view != std::exchange(poll.view, view);
  const NodePublic concerned = overrides_.concern(*self->record) ? self->record->key : NodePublic{};
  const bool other_pairs = concerned != std::exchange(poll.concerned, concerned);
  if (!fresh && !anew && !lost && !other_view && !other_pairs) return serve_delta(poll, *self, cursor, out);

  return serve_full(poll, *self, fresh ? std::nullopt : std::optional(cursor), lost, out);
}

FanOut::Serve FanOut::serve_full(Poll& poll, const NodeState& self, std::optional<Position> told, bool lost,
                                 SharedPieces& out) {
  const Viewer viewer{poll.node, poll.view, poll.capability};
  auto ssh = ssh_news(poll, self, told);
  ++counters_.full_maps;
  if (poll.view && !config_.test_mode && !overrides_.concern(*self.record))
    if (auto shared = full_maps_.make(snapshot(), viewer, told, ssh, poll.compression)) {
      out = std::move(*shared);
      return Serve::frame;
    }
  MapResponse map = full_map(snapshot(), viewer, told);
  // MAP-22: nobody knows any more whom the client must forget, and an empty list would not say it.
  if (lost && map.peers.empty()) return Serve::end;
  map.ssh_policy = std::move(ssh);
  out = pack(std::move(map), poll.capability, poll.compression);
  return Serve::frame;
}

Coordinator::Counters FanOut::counters() const {
  Coordinator::Counters counters = counters_;
  counters.evaluations = visibility_.evaluations();
  return counters;
}

FanOut::Serve FanOut::serve_one_shot(const Poll& poll, SharedPieces& out) {
  MapResponse message;
  one_shots_.pop_into(poll.node, message);
  out = pack(std::move(message), poll.capability, poll.compression);
  return Serve::frame;
}

FanOut::Serve FanOut::serve_delta(Poll& poll, const NodeState& self, Position cursor, SharedPieces& out) {
  const Viewer viewer{poll.node, poll.view, poll.capability};
  auto ssh = ssh_news(poll, self, cursor);
  if (!ssh && !takes_one_shot(poll) && !has_own_news(snapshot(), viewer, cursor))
    return serve_shared(poll, cursor, out);
  auto message = delta(snapshot(), viewer, cursor);
  if (ssh) (message ? *message : message.emplace()).ssh_policy = std::move(ssh);
  if (takes_one_shot(poll)) one_shots_.pop_into(poll.node, message ? *message : message.emplace());
  if (!message) return Serve::nothing;
  out = pack(std::move(*message), poll.capability, poll.compression);
  return Serve::frame;
}

FanOut::Serve FanOut::serve_shared(const Poll& poll, Position cursor, SharedPieces& out) {
  if (cache_head_ != tailnet_.log().head() && !planted(Planted::keeps_old_patch)) {
    cache_.clear();
    cache_head_ = tailnet_.log().head();
  }
  const CapabilityClass of = capability_class(poll.capability);
  const Position since = planted(Planted::loses_delta) ? Position{} : cursor;
  const auto [cached, is_new] = cache_.try_emplace({poll.view, of, poll.compression, since});
  if (is_new) {
    const Capability capability = lowest(of);
    if (auto message = delta(snapshot(), {NodeId{}, poll.view, capability}, cursor))
      cached->second = pack(std::move(*message), capability, poll.compression);
  } else if (cached->second) {
    ++counters_.shared_frames;
  }
  if (!cached->second) return Serve::nothing;
  out = *cached->second;
  return Serve::frame;
}

// MAP-52: asked when anybody has changed; told when the answer has. In test mode always (TEST-31).
std::optional<SSHPolicy> FanOut::ssh_news(Poll& poll, const NodeState& self, std::optional<Position> told) {
  const Position asked =
      std::max({grants_.subjects_changed(), tailnet_.log().latest(poll.node), renewed(poll.node)});
  if (told && asked <= *told && !config_.test_mode) return std::nullopt;
  auto policy = ssh_of(self, everybody_);
  if (!policy && poll.ssh) policy.emplace();  // nobody, any more
  if (!policy || (poll.ssh && *poll.ssh == *policy && !config_.test_mode)) return std::nullopt;
  poll.ssh = std::make_shared<const SSHPolicy>(*policy);
  return policy;
}

// The policy is asked for nodes that run an SSH server. `everybody` is filled when it is needed and empty.
std::optional<SSHPolicy> FanOut::ssh_of(const NodeState& self, std::vector<Subject>& everybody) const {
  if (overrides_.all.ssh || config_.test_mode) return overrides_.all.ssh;  // TEST-41
  if (!runs_ssh(self)) return std::nullopt;
  if (everybody.empty())
    for (const auto& [id, state] : tailnet_.nodes())
      if (state.record->authorized) everybody.push_back(tailnet_.subject(*state.record));
  return policy_->ssh_policy(tailnet_.subject(*self.record), everybody);
}

std::vector<std::string> FanOut::certificate_names(const NodeRecord& node) const {
  auto dns = dns_config(snapshot(), node);
  return dns ? std::move(dns->cert_domains) : std::vector<std::string>();
}

std::string FanOut::stored_json(const NodeState& node) const {
  return encoded(stored_node(snapshot(), node));
}

// TEST-42
std::string FanOut::preview(const NodeState& node, WallTime now) const {
  const Snapshot as_it_is = snapshot(now);
  const auto& record = *node.record;
  const Capability capability = record.capability == Capability{} ? newest_capability : record.capability;
  auto map = full_map(as_it_is, {record.id, view_of(as_it_is, node), capability}, std::nullopt);
  std::vector<Subject> everybody;
  map.ssh_policy = ssh_of(node, everybody);
  downlevel(map, capability, &grants_);
  return encoded(map, capability);
}

SharedPieces FanOut::pack(MapResponse message, Capability capability, Compression compression) {
  packer_.count_encoding();
  downlevel(message, capability, &grants_);
  return packer_.message(encoded(message, capability), compression);
}

std::optional<Instant> FanOut::next_timeout() const {
  std::optional<Instant> next;
  const auto earlier = [&next](Instant at) {
    if (!next || at < *next) next = at;
  };
  if (!keep_alives_.empty()) earlier(keep_alives_.top().first);
  if (!full_maps_begun_.empty()) earlier(full_maps_begun_.front().first + longest_full_map);
  if (const auto expiry = one_shots_.next_expiry()) earlier(*expiry);
  const bool news = round_head_ != due() || !behind_.empty();
  if (round_.empty() && news)
    earlier(round_measured_ ? next_round_ : round_started_ + longest_round_pause / 4);
  return next;
}

}  // namespace ts2021::coord
