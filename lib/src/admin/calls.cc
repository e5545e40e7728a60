// SPDX-License-Identifier: BSD-3-Clause
#include "admin/calls.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "admin/handlers.h"

namespace ts2021::admin {
namespace {

constexpr std::string_view push = "push";
constexpr std::string_view timeout = "timeout";
constexpr std::string_view node_path = "/admin/nodes/{}";

constexpr Method get = Method::get;
constexpr Method put = Method::put;
constexpr Method post = Method::post;
constexpr Method remove = Method::remove;

// THE table. A document has a row to put and a row to read it. Schemas are in schemas.cc.
constexpr Row table[] = {
    {get, "/", show_page, "The page for people", "", "", "Html"},
    {get, "/admin/", show_page, "The page for people", "", "", "Html"},
    {get, "/admin/openapi.json", describe, "This description", "", "", "Any"},
    {get, "/admin/config", show_config, "All switches", "", "", "Config"},
    {Method::patch, "/admin/config", change_config, "Change some switches, all or none", push, "Config",
     "Config"},
    {get, "/admin/stats", show_stats, "Requests under way and unknown paths", "", "", "Stats"},

    // What maps say
    {get, "/admin/derpmap", show_document, "Relays", "", "", "Document"},
    {put, "/admin/derpmap", put_derp_map, "Set the relays: a DERPMap", push, "Document", ""},
    {get, "/admin/dns", show_document, "Name servers and records", "", "", "Document"},
    {put, "/admin/dns", put_dns, "Set name servers and records: a DNSConfig", push, "Document", ""},
    {post, "/admin/dns/records", add_dns_records, "Append records: a list of DNSRecord", push, "List", ""},
    {get, "/admin/ssh-policy", show_document, "SSH policy of all nodes", "", "", "Document"},
    {put, "/admin/ssh-policy", put_ssh_policy, "Set the SSH policy of all nodes", push, "Document", ""},
    {get, "/admin/tag-owners", show_document, "Who may bear which tags", "", "", "Document"},
    {put, "/admin/tag-owners", put_tag_owners, "Set who may bear which tags: lists of tags by tag", push,
     "TagOwners", ""},
    {get, "/admin/default-caps", show_document, "Capabilities of new nodes", "", "", "Document"},
    {put, "/admin/default-caps", put_default_capabilities, "Set the capabilities of new nodes", push,
     "CapMap", ""},
    {get, "/admin/app-caps", show_document, "Capabilities granted by all to all", "", "", "Document"},
    {put, "/admin/app-caps", put_app_capabilities, "Set the capabilities granted by all to all", push,
     "CapMap", ""},
    {get, "/admin/masquerades", show_document, "Under which addresses nodes know each other", "", "", "Any"},
    {put, "/admin/masquerades", put_masquerades, "Set under which addresses nodes know each other", push,
     "Masquerades", ""},

    // What requests meet
    {get, "/admin/register-limit", show_register_limit, "How many register requests will be refused", "", "",
     "RegisterLimitIfAny"},
    {put, "/admin/register-limit", put_register_limit, "Refuse the next register requests with 429", "",
     "RegisterLimitIfAny", ""},
    {get, "/admin/first-map-patch", show_first_map_patch, "What is changed in first maps", "", "", "Any"},
    {put, "/admin/first-map-patch", put_first_map_patch, "Change the first map of each request: RFC 7396", "",
     "Any", ""},
    {get, "/admin/faults", show_faults, "The faults, and how often each has been seen and has fired", "", "",
     "List"},
    {put, "/admin/faults", put_faults, "Set the faults; all are counted anew", "", "Faults", ""},
    {remove, "/admin/faults", remove_faults, "No faults any more", "", "", ""},
    {get, "/admin/alt-map", show_alt_map, "Whether map requests belong to the test", "", "", "AltMap"},
    {put, "/admin/alt-map", put_alt_map, "Whether new map requests belong to the test", "", "AltMapIfAny",
     ""},

    // Nodes
    {get, "/admin/nodes", list_nodes, "All nodes as stored, or how many", "count", "", "Any"},
    {post, "/admin/nodes/fake", add_fake_nodes, "Make nodes that nobody runs", push, "FakeNodes", "Keys"},
    {get, node_path, show_node, "A node as stored", "", "", "Document"},
    {put, node_path, put_node, "Make or replace a node", push, "Document", ""},
    {get, "/admin/nodes/{}/await-poll", await_poll, "Wait until the node has a map poll", timeout, "", ""},
    {post, "/admin/nodes/{}/approve", approve, "Approve a device", push, "Approval", "Ok"},
    {post, "/admin/nodes/{}/ping", ping, "Send a PingRequest as it is", "", "Document", "Enqueued"},
    {post, "/admin/nodes/{}/raw-map", send_raw_map, "Send exactly this frame, and no automatic ones any more",
     "", "Document", "Enqueued"},
    {remove, "/admin/nodes/{}/raw-map", allow_maps, "Send automatic frames again", "", "", ""},
    {get, "/admin/nodes/{}/routes", show_node_document, "Routes that the node serves", "", "", "Any"},
    {put, "/admin/nodes/{}/routes", put_routes, "Set the routes that the node serves", push, "Texts", ""},
    {get, "/admin/nodes/{}/capmap", show_node_document, "Capabilities in place of all others", "", "",
     "Document"},
    {put, "/admin/nodes/{}/capmap", put_capabilities, "Set capabilities in place of all others", push,
     "CapMap", ""},
    {get, "/admin/nodes/{}/unsigned-peerapi-only", show_node_document, "The flag of this name", "", "",
     "Flag"},
    {put, "/admin/nodes/{}/unsigned-peerapi-only", put_unsigned_peer_api_only, "Set the flag of this name",
     push, "Flag", ""},
    {get, "/admin/nodes/{}/jailed/{}", show_node_document, "Whether the peer is jailed for the node", "", "",
     "Jailed"},
    {put, "/admin/nodes/{}/jailed/{}", put_jailed, "Jail the peer for the node, or not", push, "Jailed", ""},
    {post, "/admin/map-preview", preview_map, "The map that the node of this NodeKey would get now", "",
     "Document", "Document"},
    {post, "/admin/complete-auth", complete_auth, "Finish the login behind a URL", push, "CompleteAuth",
     "Ok"},

    // Control to node
    {post, "/admin/nodes/{}/c2n", call_node, "Send the node a request and wait for its answer", "", "C2n",
     "C2nAnswer"},
    {get, "/admin/c2n/{}", show_call, "The answer to a request that nobody waited for", timeout, "",
     "C2nAnswer"},
    {get, "/admin/nodes/{}/c2n/{}", pass_to_node, "The node's own answer to this request", "", "", "Raw"},
    {get, "/admin/nodes/{}/c2n/{}/{}", pass_to_node, "The node's own answer to this request", "", "", "Raw"},
    {get, "/admin/nodes/{}/c2n/{}/{}/{}", pass_to_node, "The node's own answer to this request", "", "",
     "Raw"},
    {post, "/admin/nodes/{}/c2n/{}", pass_to_node, "The node's own answer to this request", "", "Raw", "Raw"},
    {post, "/admin/nodes/{}/c2n/{}/{}", pass_to_node, "The node's own answer to this request", "", "Raw",
     "Raw"},
    {post, "/admin/nodes/{}/c2n/{}/{}/{}", pass_to_node, "The node's own answer to this request", "", "Raw",
     "Raw"},
    {put, "/admin/nodes/{}/c2n/{}", pass_to_node, "The node's own answer to this request", "", "Raw", "Raw"},
    {put, "/admin/nodes/{}/c2n/{}/{}", pass_to_node, "The node's own answer to this request", "", "Raw",
     "Raw"},
    {put, "/admin/nodes/{}/c2n/{}/{}/{}", pass_to_node, "The node's own answer to this request", "", "Raw",
     "Raw"},
    {remove, "/admin/nodes/{}/c2n/{}", pass_to_node, "The node's own answer to this request", "", "", "Raw"},
    {remove, "/admin/nodes/{}/c2n/{}/{}", pass_to_node, "The node's own answer to this request", "", "",
     "Raw"},
    {remove, "/admin/nodes/{}/c2n/{}/{}/{}", pass_to_node, "The node's own answer to this request", "", "",
     "Raw"},

    // Looking on and deciding
    {get, "/admin/events", list_events, "What has happened", "type after timeout", "", "Events"},
    {get, "/admin/timeline", show_timeline, "What nodes were sent, and why", "node after timeout", "",
     "Timeline"},
    {post, "/admin/holds", make_hold, "Stop fitting requests until they are answered", "", "NewHold", "Id",
     201},
    {get, "/admin/holds/{}", show_hold, "How many requests a hold has", "wait timeout", "", "Hold"},
    {remove, "/admin/holds/{}", remove_hold, "Let all go on, and forget the hold", "", "", ""},
    {get, "/admin/holds/{}/next", next_held, "The next held request; each is told once", timeout, "", "Held"},
    {get, "/admin/holds/{}/calls/{}", show_held, "What has become of a held request", "wait timeout", "",
     "HeldState"},
    {post, "/admin/holds/{}/calls/{}", answer_held, "Decide what becomes of a held request", "", "Decision",
     ""},
    {post, "/admin/holds/{}/release", release_hold, "Let all go on, and what comes later", "", "", ""},
    {get, "/admin/alt-map/streams", list_streams, "Map requests that belong to the test", "after timeout", "",
     "Streams"},
    {get, "/admin/alt-map/streams/{}", show_stream, "Whether a stream is open", "wait timeout", "", "Stream"},
    {remove, "/admin/alt-map/streams/{}", end_stream, "End a stream", "", "", ""},
    {post, "/admin/alt-map/streams/{}/messages", send_message, "Send a MapResponse as it is", "", "Document",
     ""},

    // The server
    {get, "/admin/clock", show_clock, "The time that nodes are told", "", "", "Clock"},
    {put, "/admin/clock", set_clock, "Set the virtual clock", "", "Clock", ""},
    {post, "/admin/clock/advance", advance_clock, "Let virtual time pass", "", "Advance", ""},
    {post, "/admin/reset", reset, "Forget everything", "", "Reset", ""},
};

static_assert(std::size(table) < 256, "more rows than a RouteId can name");

// The listener's view of the table.
constexpr auto route_table = [] {
  std::array<Route, std::size(table)> out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {static_cast<RouteId>(i), Site::outer, table[i].method, table[i].pattern,
              table[i].request.empty() ? 4096 : max_body};
  return out;
}();

}  // namespace

std::span<const Row> rows() noexcept { return table; }

std::span<const Route> Desk::routes() noexcept { return route_table; }

std::span<const std::string_view> Desk::open_paths() noexcept {
  static constexpr std::string_view paths[] = {"/", "/admin/"};
  return paths;
}

}  // namespace ts2021::admin
