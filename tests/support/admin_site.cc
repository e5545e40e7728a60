// SPDX-License-Identifier: BSD-3-Clause
#include "support/admin_site.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "support/catch.h"
#include "ts2021/http/route.h"
#include "ts2021/msg/map_frame.h"

namespace ts2021::test {
namespace {

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string read_frame(const SharedPieces& pieces, Compression compression) {
  MapFrameReader reader(compression);
  for (const auto& piece : *pieces) {
    const auto used = reader.feed(*piece);
    REQUIRE(used);
    REQUIRE(*used == piece->size());
  }
  REQUIRE(reader.ready());
  std::string text(as_text(reader.message()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

AdminSite::AdminSite(Options options) : config_(desk_config()) {
  config_.test_mode = options.test_mode;
  config_.rules.login_url = "http://control.test";
  start();
  admin::DeskConfig with;
  with.base_url = config_.rules.login_url;
  with.test_mode = options.test_mode;
  with.virtual_clock = options.virtual_clock;
  desk = std::make_unique<admin::Desk>(with, *coordinator, entropy);
  pump();
}

void AdminSite::start() {
  coordinator.reset();
  store = std::make_unique<MemoryStore>();
  coordinator = std::make_unique<Coordinator>(*store, std::make_shared<const AllowAll>(), entropy, config_);
  coordinator->start(clock.now);
}

bool AdminSite::deliver(CoordEvent event) {
  if (auto* frame = std::get_if<coord_event::MapFrame>(&event)) {
    Mail& box = mail(frame->session, frame->call);
    REQUIRE_FALSE(box.ended);
    REQUIRE(box.untaken == 0);  // one in flight
    if (frame->pieces->empty())
      ++box.heads;
    else
      box.frames.push_back(read_frame(frame->pieces, compressions_[{frame->session, frame->call}]));
    ++box.untaken;
    if (!slow.contains(frame->session)) take(frame->session, frame->call);
  } else if (auto* reply = std::get_if<coord_event::RegisterReply>(&event)) {
    mail(reply->session, reply->call).reply = reply->reply;
  } else if (auto* end = std::get_if<coord_event::MapEnd>(&event)) {
    REQUIRE_FALSE(std::exchange(mail(end->session, end->call).ended, true));
  } else if (auto* refused = std::get_if<coord_event::Refused>(&event)) {
    mail(refused->session, refused->call).refused = *refused;
  } else if (auto* answered = std::get_if<coord_event::Answer>(&event)) {
    mail(answered->session, answered->call).answer = answered->value;
  } else if (auto* done = std::get_if<coord_event::CommandDone>(&event)) {
    others.push_back(*done);
  } else if (auto* notice = std::get_if<coord_event::Notice>(&event)) {
    notices.push_back(*notice);
  }
  return true;
}

void AdminSite::pump() {
  for (bool moved = true; moved;) {
    moved = false;
    StoreEvent some[8];
    for (std::size_t n; (n = store->poll(some)) != 0; moved = true)
      for (std::size_t i = 0; i < n; ++i) coordinator->on_store(some[i], clock.now);
    while (auto input = desk->next_input()) {
      moved = true;
      inputs.push_back(*input);
      coordinator->handle(*input, clock.now);
    }
    while (auto command = desk->next_command()) {
      moved = true;
      coordinator->handle(*command, clock.now);
    }
    while (auto event = coordinator->next_event()) {
      moved = true;
      desk->handle(std::move(*event), clock.now);
    }
    while (auto event = desk->next_event()) moved = deliver(std::move(*event));
    while (auto task = desk->next_task()) {
      moved = true;
      tasks.push_back(*task);
      if (std::holds_alternative<admin::task::Reset>(task->what)) start();
      if (const auto* set = std::get_if<admin::task::SetClock>(&task->what)) clock.now.wall = set->wall;
      if (const auto* by = std::get_if<admin::task::AdvanceClock>(&task->what))
        clock.now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(by->by);
      desk->done(task->id, 204, {}, *coordinator, clock.now);
    }
    while (auto answered = desk->next_answer()) {
      moved = true;
      const admin::CallId id = answered->call;
      REQUIRE(answers_.emplace(id, std::move(*answered)).second);
    }
    if (!moved) coordinator->handle_timeout(clock.now);
    if (const auto next = coordinator->next_timeout(); next && *next <= clock.now.mono) {
      coordinator->handle_timeout(clock.now);
      moved = true;
    }
    if (const auto next = desk->next_timeout(); next && *next <= clock.now.mono) {
      desk->handle_timeout(clock.now);
      moved = true;
    }
  }
}

void AdminSite::advance(std::chrono::milliseconds by) {
  const Instant end = clock.now.mono + by;
  pump();
  while (clock.now.mono < end) {
    Instant to = end;
    for (const auto next : {coordinator->next_timeout(), desk->next_timeout()})
      if (next && *next < to) to = *next;
    const auto step = std::chrono::ceil<std::chrono::milliseconds>(to - clock.now.mono);
    clock.advance(std::max(step, std::chrono::milliseconds{1}));
    pump();
  }
}

admin::CallId AdminSite::begin(std::string_view method, std::string_view target, std::string body) {
  std::string_view path, query;
  REQUIRE(split_target(target, path, query));
  const RouteMatch match = match_route(admin::Desk::routes(), Site::outer, parse_method(method), path);
  const admin::CallId id{++admin_calls_};
  if (match.kind != RouteMatch::Kind::found) {
    admin::Answer missing;
    missing.call = id;
    missing.status = match.kind == RouteMatch::Kind::unknown ? 404 : 405;
    answers_.emplace(id, missing);
    return id;
  }
  admin::Request request;
  request.call = id;
  request.route = match.id;
  for (const std::string_view arg : match.args)
    if (!arg.empty()) request.args.push_back(unescape(arg));
  request.query = query;
  request.body = std::move(body);
  desk->handle(std::move(request), clock.now);
  pump();
  return id;
}

std::optional<admin::Answer> AdminSite::answer(admin::CallId call) {
  const auto at = answers_.find(call);
  if (at == answers_.end()) return std::nullopt;
  auto found = std::move(at->second);
  answers_.erase(at);
  return found;
}

admin::Answer AdminSite::call(std::string_view method, std::string_view target, std::string body) {
  INFO(method << " " << target);
  auto found = answer(begin(method, target, std::move(body)));
  REQUIRE(found);
  return std::move(*found);
}

SessionId AdminSite::open(const MachinePublic& machine) {
  const SessionId session{++sessions_};
  desk->handle(coord_input::Opened{session, machine, newest_capability}, clock.now);
  pump();
  return session;
}

CallId AdminSite::send(SessionId session, RegisterRequest request) {
  const CallId id{++calls_};
  desk->handle(
      coord_input::Register{session, id, std::make_shared<const RegisterRequest>(std::move(request))},
      clock.now);
  pump();
  return id;
}

CallId AdminSite::send(SessionId session, MapRequest request) {
  const CallId id{++calls_};
  compressions_[{session, id}] = parse_compression(request.compress);
  desk->handle(coord_input::Map{session, id, std::make_shared<const MapRequest>(std::move(request))},
               clock.now);
  pump();
  return id;
}

CallId AdminSite::ask(SessionId session, const MachinePublic& machine, Question question) {
  const CallId id{++calls_};
  desk->handle(coord_input::Ask{session, id, machine, std::move(question)}, clock.now);
  pump();
  return id;
}

void AdminSite::cancel(SessionId session, CallId call) {
  desk->handle(coord_input::Cancelled{session, call}, clock.now);
  pump();
}

void AdminSite::gone(SessionId session) {
  desk->handle(coord_input::Gone{session}, clock.now);
  pump();
}

void AdminSite::take(SessionId session, CallId call) {
  Mail& box = mail(session, call);
  if (box.untaken == 0) return;
  --box.untaken;
  desk->handle(coord_input::Taken{session, call}, clock.now);
}

std::string AdminSite::frame(SessionId session, CallId call) {
  Mail& box = mail(session, call);
  REQUIRE_FALSE(box.frames.empty());
  std::string text = std::move(box.frames.front());
  box.frames.pop_front();
  return text;
}

void AdminSite::unrouted(admin::Unrouted request) {
  desk->handle(std::move(request), clock.now);
  pump();
}

SiteNode::SiteNode(AdminSite& on, std::uint64_t n)
    : site(&on),
      number(n),
      machine(make_key<MachinePublic>(2 * n)),
      node_key(make_key<NodePublic>(2 * n + 1)),
      session(on.open(machine)) {}

RegisterRequest SiteNode::register_request() const {
  RegisterRequest request;
  request.version = newest_capability;
  request.node_key = node_key;
  request.hostinfo.emplace().hostname = "node-" + std::to_string(number);
  request.auth.emplace().auth_key = reusable_key;
  return request;
}

MapRequest SiteNode::map_request() const {
  MapRequest request;
  request.version = newest_capability;
  request.node_key = node_key;
  request.disco_key = make_key<DiscoPublic>(number);
  request.stream = true;
  request.keep_alive = true;
  request.hostinfo.emplace().hostname = "node-" + std::to_string(number);
  return request;
}

RegisterResponse SiteNode::enroll() {
  Mail& box = site->mail(session, site->send(session, register_request()));
  REQUIRE(box.reply);
  return *box.reply;
}

Mail& SiteNode::reply(std::string_view frame, std::string body) {
  const std::string url = text_in(frame, "URL");
  REQUIRE_FALSE(url.empty());
  const CallId id =
      site->ask(session, machine, question::Deliver{url.substr(url.rfind('/') + 1), std::move(body)});
  return site->mail(session, id);
}

std::string text_in(std::string_view json, std::string_view name) {
  const std::string mark = "\"" + std::string(name) + "\":\"";
  const std::size_t at = json.find(mark);
  if (at == json.npos) return {};
  json.remove_prefix(at + mark.size());
  return std::string(json.substr(0, json.find('"')));
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

}  // namespace ts2021::test
