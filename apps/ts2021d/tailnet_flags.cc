// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/tailnet_flags.h"

#include <CLI/CLI.hpp>
#include <stdexcept>
#include <utility>

#include "common/clock.h"
#include "ts2021d/flag_values.h"

namespace ts2021::app {
namespace {

// A flag that may be repeated; `take` gets each value and throws std::invalid_argument.
template <class Take>
CLI::Option* add_values(CLI::App& app, const std::string& name, const std::string& help, Take take) {
  return app
      .add_option_function<std::vector<std::string>>(
          name,
          [name, take](const std::vector<std::string>& values) {
            try {
              for (const std::string& value : values) take(value);
            } catch (const std::invalid_argument& error) {
              throw CLI::ValidationError(name, error.what());
            }
          },
          help)
      ->type_name("TEXT")
      ->allow_extra_args(false);
}

template <class Take>
void add_value(CLI::App& app, const std::string& name, const std::string& help, Take take) {
  add_values(app, name, help, take)->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::Throw);
}

void add_dns_flags(CLI::App& app, DnsSettings& dns) {
  app.add_flag("!--no-magic-dns", dns.magic_dns, "don't let nodes look up each other's names");
  add_values(
      app, "--dns-resolver",
      "address or https:// URL of a resolver for all names; may be repeated. Without it nodes use their own",
      [&dns](const std::string& text) { dns.resolvers.push_back(parse_resolver(text)); });
  add_values(app, "--dns-route",
             "SUFFIX=RESOLVER[,RESOLVER]...: who knows the names below a suffix; may be repeated",
             [&dns](const std::string& text) { dns.routes.insert(parse_dns_route(text)); });
  add_values(app, "--dns-record", "NAME=ADDRESS that nodes know; may be repeated",
             [&dns](const std::string& text) { dns.extra_records.push_back(parse_dns_record(text)); });
  add_values(app, "--dns-search", "suffix to try behind short names; may be repeated",
             [&dns](const std::string& text) { dns.search_domains.push_back(parse_domain(text)); });
  app.add_flag("--dns-certificates", dns.certificates,
               "let nodes ask for certificates of their names, by records that they set");
}

}  // namespace

void add_tailnet_flags(CLI::App& app, TailnetFlags& flags) {
  CoordinatorConfig& config = flags.coordinator;
  add_values(
      app, "--auth-key",
      "KEY[,ephemeral][,single-use][,needs-approval][,tag:NAME]...[,user=LOGIN][,expires=30d]: lets nodes "
      "join, again and again if nothing else is said; may be repeated. One is made if absent",
      [&config](const std::string& text) { config.auth_keys.push_back(parse_auth_key(text, now().wall)); });
  add_value(app, "--owner",
            "login name to whom nodes belong that join with an auth key; the policy's autogroup:owner",
            [&flags](const std::string& text) {
              flags.coordinator.owner = parse_login(text);
              flags.roles["owner"] = {text};
            });
  app.add_flag(
      "--login-page", flags.login_page,
      "send nodes without an auth key to a page of this server, where whoever opens it lets them in");
  app.add_flag("--require-approval", config.rules.require_approval,
               "new nodes see nobody before they are approved");
  add_value(app, "--key-lifetime", "time like 12h or 30d after which a node must log in again",
            [&config](const std::string& text) { config.key_lifetime = parse_duration(text); });
  add_value(app, "--base-domain", "suffix of the nodes' names, ts2021.test if absent",
            [&config](const std::string& text) { config.base_domain = config.tailnet = parse_domain(text); });
  app.add_option("--derp-map", flags.derp_map, "file with the relays, as JSON; read again on SIGHUP")
      ->check(CLI::ExistingFile);
  app.add_option(
         "--policy", flags.policy,
         "policy file (acls, grants, ssh and so on); read again on SIGHUP. Without it everybody reaches "
         "everybody")
      ->check(CLI::ExistingFile);
  add_values(app, "--policy-admin", "login name that the policy's autogroup:admin means; may be repeated",
             [&flags](const std::string& text) { flags.roles["admin"].push_back(parse_login(text)); });
  add_dns_flags(app, config.dns);
  app.add_flag("!--no-tailnet-lock", config.tailnet_lock, "don't let nodes set up tailnet lock");
  app.add_flag_callback(
      "--collect-services", [&config] { config.rules.collect_services = true; },
      "ask nodes which ports they listen on");
  add_value(app, "--client-version", "newest version of the client, of which nodes are told",
            [&flags](const std::string& text) {
              flags.client_version.emplace().latest_version = parse_domain(text);
            });
}

}  // namespace ts2021::app
