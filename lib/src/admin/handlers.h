// SPDX-License-Identifier: BSD-3-Clause
// What the rows of the table run.
#pragma once

#include "admin/calls.h"

namespace ts2021::admin {

// config_calls.cc
Outcome show_config(Call& call);
Outcome change_config(Call& call);

// document_calls.cc
Outcome show_document(Call& call);
Outcome show_node_document(Call& call);
Outcome put_derp_map(Call& call);
Outcome put_dns(Call& call);
Outcome add_dns_records(Call& call);
Outcome put_ssh_policy(Call& call);
Outcome put_tag_owners(Call& call);
Outcome put_default_capabilities(Call& call);
Outcome put_app_capabilities(Call& call);
Outcome put_masquerades(Call& call);
Outcome put_routes(Call& call);
Outcome put_capabilities(Call& call);
Outcome put_unsigned_peer_api_only(Call& call);
Outcome put_jailed(Call& call);

// switch_calls.cc
Outcome show_register_limit(Call& call);
Outcome put_register_limit(Call& call);
Outcome show_first_map_patch(Call& call);
Outcome put_first_map_patch(Call& call);
Outcome show_alt_map(Call& call);
Outcome put_alt_map(Call& call);

// node_calls.cc
Outcome list_nodes(Call& call);
Outcome show_node(Call& call);
Outcome put_node(Call& call);
Outcome add_fake_nodes(Call& call);
Outcome await_poll(Call& call);
Outcome approve(Call& call);
Outcome complete_auth(Call& call);
Outcome preview_map(Call& call);

// frame_calls.cc
Outcome ping(Call& call);
Outcome send_raw_map(Call& call);
Outcome allow_maps(Call& call);
Outcome call_node(Call& call);
Outcome show_call(Call& call);
Outcome pass_to_node(Call& call);

// event_calls.cc
Outcome list_events(Call& call);
Outcome show_stats(Call& call);

// timeline_calls.cc
Outcome show_timeline(Call& call);
Outcome show_page(Call& call);

// hold_calls.cc
Outcome make_hold(Call& call);
Outcome show_hold(Call& call);
Outcome remove_hold(Call& call);
Outcome next_held(Call& call);
Outcome show_held(Call& call);
Outcome answer_held(Call& call);
Outcome release_hold(Call& call);

// stream_calls.cc
Outcome list_streams(Call& call);
Outcome show_stream(Call& call);
Outcome send_message(Call& call);
Outcome end_stream(Call& call);

// fault_calls.cc
Outcome show_faults(Call& call);
Outcome put_faults(Call& call);
Outcome remove_faults(Call& call);

// server_calls.cc
Outcome show_clock(Call& call);
Outcome set_clock(Call& call);
Outcome advance_clock(Call& call);
Outcome reset(Call& call);
Outcome describe(Call& call);

// What the handlers share.

// The node that the path names; none: there is none. `key`: of its text.
[[nodiscard]] std::optional<NodePublic> key_of(const Call& call, std::size_t arg = 0);
[[nodiscard]] std::optional<Coordinator::NodeStatus> node_of(const Call& call, std::size_t arg = 0);
[[nodiscard]] Reply no_such_node();
// The path of the call, with its keys in lower case.
[[nodiscard]] std::string document_path(const Call& call);

}  // namespace ts2021::admin
