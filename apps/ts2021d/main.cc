// SPDX-License-Identifier: BSD-3-Clause
// ts2021d: the reference server, wired by hand from top to bottom.
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <stdexcept>

#include "common/socket.h"
#include "ts2021d/announce.h"
#include "ts2021d/capture_file.h"
#include "ts2021d/config.h"
#include "ts2021d/hub.h"
#include "ts2021d/log.h"
#include "ts2021d/self_signed.h"
#include "ts2021d/site_url.h"
#include "ts2021d/state_dir.h"
#include "ts2021d/tailnet_files.h"

namespace ts2021::app {
namespace {

// In every thread, before any is made: the hub reads the signals, a broken socket is an error and no signal.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

// One descriptor per connection: as many as the system lets us have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

std::string random_auth_key(Entropy& entropy) {
  std::array<std::uint8_t, 16> bytes{};
  entropy.fill(bytes);
  constexpr char digits[] = "0123456789abcdef";
  std::string key = "tskey-auth-";
  for (const auto byte : bytes) {
    key += digits[byte >> 4];
    key += digits[byte & 15];
  }
  return key;
}

// A certificate of our own names the hosts that nodes are told of.
TlsSource tls_source(const Config& config) {
  TlsSource source{config.tls_certificate, config.tls_key, config.tls_self_signed, {}};
  if (const std::string& host = config.tls_listen->host; !host.empty() && host != "0.0.0.0" && host != "::")
    source.hosts.push_back(host);
  if (config.public_url) source.hosts.push_back(config.public_url->endpoint.host);
  return source;
}

Fd listen_for_admin(const AdminAddress& address, bool has_token) {
  if (!address.path.empty()) return listen_on_path(address.path);
  Fd fd = listen_on(address.endpoint);
  if (!has_token && !is_loopback(fd))
    throw std::runtime_error("--admin " + address.endpoint.text() +
                             " is open to others than this machine: --admin-token is needed");
  return fd;
}

int run(const Config& config) {
  start_log(config.verbose);
  block_signals();
  raise_descriptor_limit();

  const Randomness randomness{config.test.seed};
  const auto entropy = randomness.stream(Randomness::Stream::keys);
  const ServerKeys keys = config.state_dir.empty()
                              ? make_keys(*entropy)
                              : load_keys(config.state_dir, config.rotate_keys, *entropy);

  const TokenKey token_key = load_token_key(config.state_dir);
  ServiceConfig service;
  service.token_key = &token_key;
  ServerConfig server;
  if (config.ts2021) {
    service.key.noise = keys.noise.front().open;
    server.noise_keys = keys.noise;
  }
  if (config.ts2019) {
    service.key.box = keys.box.open;
    service.box = &keys.box;
  }
  server.routes = ControlService::routes();
  server.tell_unrouted = config.test.admin.has_value();

  CoordinatorConfig coordinator = config.tailnet.coordinator;
  coordinator.test_mode = config.test.test_mode;
  if (coordinator.auth_keys.empty()) coordinator.auth_keys.emplace_back().secret = random_auth_key(*entropy);
  const std::string auth_key = coordinator.auth_keys.front().secret;

  Fd plain = listen_on(config.listen), secure;
  const SiteUrl http_url = local_site_url(false, local_endpoint(plain));
  SiteUrl url = http_url;
  Hub::Options options{.threads = config.threads,
                       .connects_per_second = config.connects_per_second,
                       .limit_loopback = config.limit_loopback,
                       .handshakes = {.machines = config.known_machines},
                       .derp_map = config.tailnet.derp_map,
                       .policy = config.tailnet.policy,
                       .roles = config.tailnet.roles,
                       .client_version = config.tailnet.client_version,
                       .randomness = randomness,
                       .virtual_clock = config.test.virtual_clock};
  if (!config.test.faults.empty()) options.faults = read_faults(config.test.faults);
  if (config.tls_listen) {
    options.tls = tls_source(config);
    secure = listen_on(*config.tls_listen);
    url = local_site_url(true, local_endpoint(secure));
  }
  if (config.public_url) url = *config.public_url;
  service.key.reachable_by_old_noise = url.reachable_by_old_noise();
  service.url = url.text();
  if (config.tailnet.login_page || config.test.test_mode) coordinator.rules.login_url = url.text();

  Fd admin;
  std::string admin_path, admin_url;
  if (config.test.admin) {
    admin = listen_for_admin(*config.test.admin, !config.test.admin_token.empty());
    admin_path = config.test.admin->path;
    admin_url =
        admin_path.empty() ? local_site_url(false, local_endpoint(admin)).text() : "unix:" + admin_path;
    options.desk = admin::DeskConfig{.base_url = url.text(),
                                     .test_mode = config.test.test_mode,
                                     .virtual_clock = config.test.virtual_clock,
                                     .token = config.test.admin_token,
                                     .faults = options.faults};
  }

  std::optional<CaptureFile> capture;
  if (!config.capture.empty()) options.capture = &capture.emplace(config.capture);
  Hub hub(server, service, std::move(coordinator), options);
  const bool own = !config.tls_self_signed.empty();
  announce({url.text(), http_url.text(), auth_key, admin_url,
            own ? self_signed_paths(config.tls_self_signed).ca : ""},
           config.json);
  hub.run(std::move(plain), std::move(secure), std::move(admin), admin_path);
  return 0;
}

}  // namespace
}  // namespace ts2021::app

int main(int argc, char** argv) {
  int exit_code = 0;
  const auto config = ts2021::app::parse_config(argc, argv, exit_code);
  if (!config) return exit_code;
  try {
    return ts2021::app::run(*config);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ts2021d: %s\n", error.what());
    return 1;
  }
}
