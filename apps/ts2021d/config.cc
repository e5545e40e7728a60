// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/config.h"

#include <CLI/CLI.hpp>

namespace ts2021::app {
namespace {

std::string check_url(const std::string& text) {
  return parse_site_url(text) ? "" : "a control URL is like https://host:port and has no path";
}

Endpoint default_tls_endpoint(const Endpoint& plain) {
  return {plain.host, static_cast<std::uint16_t>(plain.port == 0 ? 0 : 8443)};
}

}  // namespace

std::optional<Config> parse_config(int argc, char** argv, int& exit_code) {
  Config config;
  std::string listen = "127.0.0.1:8080", tls_listen, public_url;
  CLI::App app("A control server for the Tailscale protocol, in memory: for tests and for trying things out.",
               "ts2021d");
  app.add_option("--listen", listen, "address:port of the control server; port 0 takes a free one")
      ->capture_default_str();
  auto* certificate = app.add_option("--tls-cert", config.tls_certificate,
                                     "certificate for https, as PEM, followed by those that issued it")
                          ->check(CLI::ExistingFile);
  auto* key =
      app.add_option("--tls-key", config.tls_key, "its private key, as PEM")->check(CLI::ExistingFile);
  auto* self_signed =
      app.add_option("--tls-self-signed", config.tls_self_signed,
                     "https for tests: directory where an authority and a certificate are made "
                     "and kept; the authority's file is told when ready");
  app.add_option("--tls-listen", tls_listen,
                 "address:port of https, beside --listen; if absent --listen's address and port 8443, or a "
                 "free port if --listen takes one");
  certificate->needs(key)->excludes(self_signed);
  key->needs(certificate);
  app.add_option("--public-url", public_url, "the URL that nodes are given, where it is not a listener's")
      ->check(check_url);
  app.option_defaults()->group("Tailnet");
  add_tailnet_flags(app, config.tailnet);
  app.option_defaults()->group("Options");
  app.add_option("--state-dir", config.state_dir,
                 "directory for the server's keys; without it nothing is written");
  auto* rotate =
      app.add_flag("--rotate-keys", config.rotate_keys, "add a new Noise key; four old ones stay valid");
  rotate->needs("--state-dir");
  app.add_option("--threads", config.threads, "threads for connections")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--known-machines", config.known_machines,
                 "machines for which a thread keeps the part of the handshake that never changes; 0: none")
      ->check(CLI::Range(0, 1 << 20))
      ->capture_default_str();
  auto* connects =
      app.add_option(
             "--max-connects", config.connects_per_second,
             "connections a second from one address, five times as many at once; 0: no limit. Without this "
             "flag loopback has none")
          ->check(CLI::Range(0.0, 1e6))
          ->capture_default_str();
  auto* no_ts2019 =
      app.add_flag("!--no-ts2019", config.ts2019, "leave out the protocol of clients before 1.24");
  app.add_flag("!--no-ts2021", config.ts2021, "leave out Noise")->excludes(no_ts2019);
  app.add_option(
      "--capture", config.capture,
      "file for every connection decrypted, one JSON object a line, for the replay of ts2021. It holds "
      "secrets: the auth keys and all else that nodes say and are told");
  app.add_flag("--json", config.json, "print one line of JSON when ready, nothing else");
  app.add_flag("-v,--verbose", config.verbose, "log every connection");
  app.option_defaults()->group("Tests");
  add_test_flags(app, config.test);
  app.set_version_flag("--version", "ts2021d " TS2021_VERSION);
  try {
    app.parse(argc, argv);
    const auto endpoint = parse_endpoint(listen);
    if (!endpoint) throw CLI::ValidationError("--listen", "not an address:port: " + listen);
    config.listen = *endpoint;
    if (certificate->count() > 0 || self_signed->count() > 0) {
      config.tls_listen = tls_listen.empty() ? default_tls_endpoint(*endpoint) : parse_endpoint(tls_listen);
      if (!config.tls_listen)
        throw CLI::ValidationError("--tls-listen", "not an address:port: " + tls_listen);
    } else if (!tls_listen.empty()) {
      throw CLI::ValidationError("--tls-listen",
                                 "https needs --tls-cert and --tls-key, or --tls-self-signed");
    }
    if (!public_url.empty()) config.public_url = parse_site_url(public_url);
    config.limit_loopback = connects->count() > 0;
  } catch (const CLI::ParseError& error) {
    exit_code = app.exit(error);
    return std::nullopt;
  }
  return config;
}

}  // namespace ts2021::app
