// SPDX-License-Identifier: BSD-3-Clause
// ts2021d: the reference server, wired by hand from top to bottom.
#include <signal.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "common/clock.h"
#include "common/socket.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/derp.h"
#include "ts2021d/config.h"
#include "ts2021d/hub.h"
#include "ts2021d/state_dir.h"

namespace ts2021::app {
namespace {

// In every thread, before any is made: the hub reads the signals, a broken socket is an error and no signal.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
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

std::shared_ptr<const DERPMap> read_derp_map(const std::string& path) {
  if (path.empty()) return nullptr;
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("can't read " + path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  auto map = decode_copy<DERPMap>(as_bytes(text));
  if (!map) throw std::runtime_error(path + ": not a DERP map");
  return std::make_shared<const DERPMap>(*std::move(map));
}

// How clients on this machine reach a listener.
std::string url_of(Endpoint endpoint) {
  if (endpoint.host == "0.0.0.0") endpoint.host = "127.0.0.1";
  if (endpoint.host == "::") endpoint.host = "::1";
  return "http://" + endpoint.text();
}

void announce(const Config& config, const std::string& url, const std::string& auth_key) {
  if (config.json) {
    std::printf("{\"url\":\"%s\",\"auth_key\":\"%s\",\"pid\":%d}\n", url.c_str(), auth_key.c_str(), getpid());
  } else {
    std::printf(
        "ts2021d %s is ready\n\n  URL       %s\n  auth key  %s\n\n  tailscale up --login-server=%s "
        "--auth-key=%s\n\n",
        TS2021_VERSION, url.c_str(), auth_key.c_str(), url.c_str(), auth_key.c_str());
  }
  std::fflush(stdout);
}

int run(const Config& config) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("ts2021d"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
  spdlog::set_level(config.verbose ? spdlog::level::debug : spdlog::level::info);
  block_signals();
  raise_descriptor_limit();

  SystemEntropy entropy;
  const ServerKeys keys = config.state_dir.empty() ? make_keys(entropy)
                                                   : load_keys(config.state_dir, config.rotate_keys, entropy);

  CoordinatorConfig coordinator;
  coordinator.base_domain = coordinator.tailnet = config.base_domain;
  coordinator.derp_map = read_derp_map(config.derp_map);
  const std::string auth_key = config.auth_key.empty() ? random_auth_key(entropy) : config.auth_key;
  coordinator.auth_keys.push_back({auth_key, false});

  ServiceConfig service;
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

  Fd listener = listen_on(config.listen);
  const std::string url = url_of(local_endpoint(listener));
  Hub hub(server, service, std::move(coordinator),
          {config.threads,
           config.connects_per_second,
           config.limit_loopback,
           {.machines = config.known_machines}});
  announce(config, url, auth_key);
  hub.run(std::move(listener));
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
