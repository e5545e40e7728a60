// SPDX-License-Identifier: BSD-3-Clause
#include "coord/node_put.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "coord/node_view.h"
#include "coord/tags.h"
#include "coord/test_identity.h"

namespace ts2021::coord {
namespace {

// "127.3.3.40:<region>", or 0.
int region_of(std::string_view derp) {
  const auto colon = derp.rfind(':');
  int region = 0;
  if (colon != std::string_view::npos)
    (void)std::from_chars(derp.data() + colon + 1, derp.data() + derp.size(), region);
  return region;
}

std::vector<IpPrefix> addresses_of(const NodeRecord& record) {
  return {IpPrefix::host(IpAddress::v4(record.v4.value)),
          IpPrefix::host(IpAddress::v6(mapped_v6(record.v4)))};
}

// The first IPv4 address that a record can have and nobody else has.
void take_address(const Node& node, Tailnet& tailnet, NodeRecord& record, Reserved& reserved) {
  for (const IpPrefix& address : node.addresses) {
    if (!address.is_host() || !address.address.is_v4()) continue;
    Ipv4Address v4;
    for (const auto byte : address.address.bytes()) v4.value = v4.value << 8 | byte;
    if (v4 == record.v4) return;
    if (!is_assignable(v4) || !tailnet.addresses().take(v4)) continue;
    if (reserved.v4) tailnet.addresses().release(*reserved.v4, false);
    reserved.node = record.id;
    reserved.v4 = record.v4 = v4;
    return;
  }
}

template <class T>
T take(T& from) {
  return std::exchange(from, T{});
}

}  // namespace

void put_node(Node node, Tailnet& tailnet, const CoordinatorConfig& config, WallTime now, NodeRecord& record,
              Plan& plan) {
  (void)take(node.id);
  (void)take(node.key);
  if (auto id = take(node.stable_id); !id.empty()) record.stable_id = std::move(id);
  if (auto name = take(node.name); !name.empty())
    record.full_name = name == full_name(record, config) + "." ? std::string() : std::move(name);
  if (const UserId user = take(node.user); user != UserId{} && user != tagged_devices) {
    record.user = user;
    if (!tailnet.user(user)) plan.writes.push_back(write_of(test_user(user, now), Revision{}));
  }
  const Time expiry = take(node.key_expiry);
  record.key_expiry = expiry.is_zero() ? std::nullopt : std::optional(expiry.at);
  record.key_signature = take(node.key_signature).bytes;
  record.machine = take(node.machine);
  record.disco = take(node.disco_key);
  take_address(node, tailnet, record, plan.reserved);
  if (!node.allowed_ips || *node.allowed_ips == node.addresses) node.allowed_ips.reset();
  if (node.addresses == addresses_of(record)) node.addresses.clear();
  record.endpoints = take(node.endpoints);
  record.endpoint_types.clear();
  record.home_derp = node.home_derp != 0 ? node.home_derp : region_of(node.derp);
  node.home_derp = 0;
  node.derp.clear();
  if (auto hostinfo = take(node.hostinfo)) {
    record.hostname = hostinfo->hostname;
    record.hostinfo = std::make_shared<const Hostinfo>(*std::move(hostinfo));
  }
  if (const Time created = take(node.created); !created.is_zero()) record.created = created.at;
  record.capability = take(node.cap);
  record.tags = tag_set(take(node.tags));
  const Time seen = take(node.last_seen);
  record.last_seen = seen.is_zero() ? std::nullopt : std::optional(seen.at);
  record.authorized = take(node.machine_authorized);
  record.capabilities = take(node.cap_map);
  for (const std::string& name : take(node.capabilities)) record.capabilities.try_emplace(name);
  record.put = node == Node{} ? nullptr : std::make_shared<const Node>(std::move(node));
}

}  // namespace ts2021::coord
