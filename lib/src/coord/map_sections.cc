// SPDX-License-Identifier: BSD-3-Clause
#include "coord/map_sections.h"

#include "coord/planted.h"
#include "ts2021/msg/derp.h"

namespace ts2021::coord {
namespace {

struct Reader {
  NodeId node{};       // 0: all viewers alike
  bool first = false;  // nothing was told before: what is empty need not be said
};

// MAP-50: what each section says. A value that was taken away is said as the one that undoes it.
struct Row {
  Section section;
  void (*write)(const Snapshot& snapshot, const Reader& reader, MapResponse& out);
};
constexpr Row rows[] = {
    {Section::derp_map,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {  // MAP-23
       if (const auto& map = snapshot.settings.config().derp_map)
         out.derp_map = *map;
       else if (!reader.first)
         out.derp_map.emplace().regions.emplace();
     }},
    {Section::dns,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {
       const NodeState* self = snapshot.tailnet.find(reader.node);
       if (!self) return;
       out.dns_config = dns_config(snapshot, *self->record);
       if (!out.dns_config && !reader.first) out.dns_config.emplace();
     }},
    {Section::messages,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {
       // Always all of them, which older clients need anyway.
       if (!reader.first) out.display_messages["*"] = std::nullopt;
       for (auto& [id, message] : snapshot.settings.messages(reader.node)) out.display_messages[id] = message;
     }},
    {Section::client_version,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {
       out.client_version = snapshot.settings.client_version();
       if (!out.client_version && !reader.first) out.client_version.emplace().running_latest = true;
     }},
    {Section::dial_plan,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {
       out.control_dial_plan = snapshot.settings.dial_plan();
       if (!out.control_dial_plan && !reader.first) out.control_dial_plan.emplace();
     }},
    {Section::lock,
     [](const Snapshot& snapshot, const Reader& reader, MapResponse& out) {
       out.tka_info = snapshot.settings.lock();
       if (!out.tka_info && !reader.first) out.tka_info.emplace().disabled = true;
     }},
    {Section::services,
     [](const Snapshot& snapshot, const Reader&, MapResponse& out) {
       const CoordinatorConfig& config = snapshot.settings.config();
       out.collect_services = config.rules.collect_services.value_or(config.test_mode);
     }},
};

bool changed(const Snapshot& snapshot, Section section, NodeId node, Position told) {
  if (snapshot.settings.changed(section, node) > told) return true;
  // The node's own name may be in it.
  return section == Section::dns && snapshot.settings.config().dns.certificates &&
         snapshot.tailnet.log().parts_since(node, told).has(Part::whole);
}

// TEST-31: not the relay map, which some clients answer with an update that would bring the next one.
bool repeats(const Snapshot& snapshot, Section section, Position told) {
  return snapshot.settings.config().test_mode &&
         (section != Section::derp_map || snapshot.settings.repeated() > told);
}

}  // namespace

bool add_sections(const Snapshot& snapshot, NodeId node, std::optional<Position> told, MapResponse& out) {
  bool any = false;
  for (const Row& row : rows) {
    const bool news = !told || changed(snapshot, row.section, node, *told);
    if (!news && !repeats(snapshot, row.section, *told)) continue;
    if (told && row.section == Section::messages && planted(Planted::keeps_old_messages)) continue;
    row.write(snapshot, {node, !told || !news}, out);
    any = true;
  }
  return any;
}

namespace {

DNSConfig dns_config(const CoordinatorConfig& config, const NodeRecord& node) {
  const DnsSettings& dns = config.dns;
  DNSConfig out;
  out.proxied = dns.magic_dns;
  if (dns.magic_dns) out.domains.push_back(config.base_domain);
  out.domains.insert(out.domains.end(), dns.search_domains.begin(), dns.search_domains.end());
  out.resolvers = dns.resolvers;
  for (const auto& [suffix, resolvers] : dns.routes)
    out.routes[suffix.starts_with('.') ? suffix.substr(1) : suffix] = resolvers;
  out.extra_records = dns.extra_records;
  if (dns.certificates) out.cert_domains = {full_name(node, config)};
  return out;
}

}  // namespace

std::optional<DNSConfig> dns_config(const Snapshot& snapshot, const NodeRecord& node) {
  const CoordinatorConfig& config = snapshot.settings.config();
  auto over = snapshot.overrides.all.dns;  // TEST-40
  if (!config.test_mode) return over ? over : dns_config(config, node);
  if (over && !config.rules.magic_dns_domain.empty())
    over->cert_domains = {node.hostname + "." + config.rules.magic_dns_domain};
  return over;
}

}  // namespace ts2021::coord
