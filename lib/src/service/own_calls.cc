// SPDX-License-Identifier: BSD-3-Clause
#include "service/own_calls.h"

#include <algorithm>
#include <utility>

#include "ts2021/msg/endpoint.h"

namespace ts2021::service {

void OwnCalls::begin(Call& call, std::size_t row) {
  const OwnRoute& route = call.config.own[row];
  auto own = std::make_shared<OwnCall>(OwnCall{this, row, call.request, {}});
  if (route.boxed) {
    auto body = open_body(call);
    if (!body) return;
    own->opened = *std::move(body);
    own->request.body = own->opened.json();
  }
  NodePublic key;
  if (route.names_node) {
    const auto named = decode<NamedNode>(own->request.body);
    if (!named) return call.reply_text(400, text(named.error().code));
    key = named->node_key;
  }
  call.keep_open().own = own;
  if (route.names_node)
    call.ask<&OwnCalls::go_on>(question::Identify{key}, std::shared_ptr<const OwnCall>(own));
  else
    offer(call, std::nullopt);
}

void OwnCalls::go_on(Exchange& exchange, const answer::Identity& identity, const OwnCall& own) {
  own.home->offer(exchange, identity);
}

void OwnCalls::offer(const Exchange& exchange, std::optional<answer::Identity> node) {
  const OpenCall& open = exchange.keep_open();
  events_.push_back(
      {own_event::Request{exchange.id, call_of(exchange.stream), open.own->row,
                          exchange.proven ? std::optional(exchange.session.machine) : std::nullopt,
                          std::move(node), &open.own->request},
       open.own});
}

void OwnCalls::forget(SessionId session, const OpenCall& call) {
  if (!call.own) return;
  std::erase_if(events_, [&](const Queued& queued) { return queued.call == call.own; });
  if (call.own->taken) events_.push_back({own_event::Gone{session, call_of(call.stream)}, nullptr});
}

void OwnCalls::writable(SessionId session, const OpenCall& call) {
  events_.push_back({own_event::Writable{session, call_of(call.stream)}, call.own});
}

std::optional<OwnEvent> OwnCalls::next_event() {
  if (events_.empty()) return std::nullopt;
  const Queued next = std::move(events_.front());
  events_.pop_front();
  if (std::holds_alternative<own_event::Request>(next.event)) next.call->taken = true;
  return next.event;
}

}  // namespace ts2021::service
