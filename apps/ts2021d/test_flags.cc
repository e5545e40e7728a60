// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/test_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <fstream>
#include <string_view>

namespace ts2021::app {
namespace {

// What a header can carry (RFC 6750).
void take_token(std::string& into, const std::string& text) {
  const bool good =
      !text.empty() && text.size() <= 1024 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return std::isalnum(c) ||
               std::string_view("-._~+/=").find(static_cast<char>(c)) != std::string_view::npos;
      });
  if (!good) throw CLI::ValidationError("--admin-token", "a token has 1 to 1024 letters, digits and -._~+/=");
  into = text;
}

std::uint64_t parse_seed(const std::string& text) {
  std::uint64_t seed = 0;
  const char* const end = text.data() + text.size();
  if (const auto [to, error] = std::from_chars(text.data(), end, seed); error != std::errc{} || to != end)
    throw CLI::ValidationError("--seed", "not a number from 0 on: " + text);
  return seed;
}

void read_token(std::string& into, const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line)) throw CLI::ValidationError("--admin-token-file", "no token in " + path);
  take_token(into, line);
}

}  // namespace

std::optional<AdminAddress> parse_admin_address(const std::string& text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text.starts_with(unix_prefix)) {
    if (text.size() == unix_prefix.size()) return std::nullopt;
    return AdminAddress{{}, text.substr(unix_prefix.size())};
  }
  auto endpoint = parse_endpoint(text);
  if (!endpoint) return std::nullopt;
  if (endpoint->host.empty()) endpoint->host = "127.0.0.1";
  return AdminAddress{*std::move(endpoint), {}};
}

void add_test_flags(CLI::App& app, TestFlags& flags) {
  auto* test_mode = app.add_flag(
      "--test-mode", flags.test_mode,
      "behave as the field's test server: whoever comes gets in, each node key is a node and a user of "
      "its own");
  auto* admin = app.add_option_function<std::string>(
      "--admin",
      [&flags](const std::string& text) {
        flags.admin = parse_admin_address(text);
        if (!flags.admin) throw CLI::ValidationError("--admin", "not an address:port or unix:PATH: " + text);
      },
      "address:port or unix:PATH of the admin API, by which a test orders what it needs; port 0 takes a free "
      "one");
  auto* token = app.add_option_function<std::string>(
      "--admin-token", [&flags](const std::string& text) { take_token(flags.admin_token, text); },
      "what requests to the admin API must bear; needed where others than this machine reach it");
  app.add_option_function<std::string>(
         "--admin-token-file", [&flags](const std::string& path) { read_token(flags.admin_token, path); },
         "the same from the first line of a file")
      ->check(CLI::ExistingFile)
      ->needs(admin)
      ->excludes(token);
  token->needs(admin);
  app.add_option_function<std::string>(
         "--seed", [&flags](const std::string& text) { flags.seed = parse_seed(text); },
         "make all keys, ids and delays of this number, so that they are the same each time. For tests "
         "only: who knows the number knows the server's keys. Identity tokens and certificates are left "
         "out")
      ->excludes("--state-dir");
  app.add_option_function<std::string>(
         "--clock", [&flags](const std::string& text) { flags.virtual_clock = text == "virtual"; },
         "virtual: time stands at 2020-08-03T00:00:00Z until the admin API moves it; that of connections "
         "goes on")
      ->check(CLI::IsMember({"system", "virtual"}))
      ->needs(admin);
  app.add_option_function<std::string>(
         "--faults",
         [&flags, test_mode, admin](const std::string& path) {
           if (test_mode->empty() && admin->empty())
             throw CLI::ValidationError("--faults", "goes with --test-mode or --admin only");
           flags.faults = path;
         },
         "what goes wrong from the start: a list of rules, see FAULTS.md")
      ->check(CLI::ExistingFile);
}

}  // namespace ts2021::app
