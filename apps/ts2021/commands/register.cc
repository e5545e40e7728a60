// SPDX-License-Identifier: BSD-3-Clause
// ts2021 register: one register request, or several until a person has logged in.
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "common/printable.h"
#include "ts2021/commands.h"
#include "ts2021/msg/register.h"
#include "ts2021/node/host.h"
#include "ts2021/node/link.h"
#include "ts2021/node/rule.h"

namespace ts2021::app {
namespace {

// What the official client writes to log out: 1970-01-01T00:02:03Z.
constexpr auto logout_time = std::chrono::seconds{123};
constexpr std::chrono::seconds pause_before_same_url{2};

constexpr const char* exit_codes =
    "Exit code: 0 in (or, with --logout, out), 2 no usable answer, 3 refused, 4 a person has to log in, 5 "
    "the node "
    "key has expired, 1 for anything else.";

struct Options {
  NodeTarget node;
  HostFlags host;
  std::string auth_key, followup, old_node_key, expiry, tailnet;
  bool wait = false, logout = false, ephemeral = false, rotate = false, json = false;
  double wait_seconds = 0;
};

RegisterRequest first_request(const Options& options, NodeLink& link, const NodeState& state) {
  RegisterRequest request;
  request.version = link.envelope().version(link.capability());
  request.node_key = state.node.public_key();
  if (!state.old_node.is_zero()) request.old_node_key = state.old_node.public_key();
  if (!options.old_node_key.empty()) {
    const auto old = NodePublic::parse(options.old_node_key);
    if (!old) throw std::runtime_error("--old-node-key: not a node key");
    request.old_node_key = *old;
  }
  if (!options.auth_key.empty()) {
    request.auth.emplace();
    request.auth->auth_key = options.auth_key;
  }
  if (options.logout) request.expiry = Time(WallTime{logout_time});
  if (!options.expiry.empty()) {
    const auto expiry = Time::parse(options.expiry);
    if (!expiry) throw std::runtime_error("--expiry: not a time such as 2030-01-31T12:00:00Z");
    request.expiry = *expiry;
  }
  request.followup = options.followup;
  request.hostinfo = options.host.hostinfo();
  request.ephemeral = options.ephemeral;
  request.tailnet = options.tailnet;
  return request;
}

struct Outcome {
  RegisterResponse response;
  std::string json;
};

// A status other than 200 is told and ends the command.
class RegisterRefused : public std::runtime_error {
  using runtime_error::runtime_error;
};

Outcome ask(NodeLink& link, const RegisterRequest& request, std::chrono::milliseconds deadline) {
  Call call{"POST", "/machine/register", encoded(request), {}};
  if (!request.old_node_key.is_zero()) call.headers.emplace_back("ts-lb", request.old_node_key.text());
  call.headers.emplace_back("ts-lb", request.node_key.text());
  const Answer answer = link.call(std::move(call), {.max_body = 1 << 20, .deadline = deadline});
  if (answer.status != 200) {
    std::string why = "status " + std::to_string(answer.status);
    if (const auto later = answer.header("retry-after"); !later.empty())
      why += ", again in " + printable(later) + " s";
    throw RegisterRefused(why + ": " + printable(answer.text()));
  }
  auto response = decode_copy<RegisterResponse>(answer.body);
  if (!response) throw CallError(response.error());
  return {*std::move(response), std::string(answer.text())};
}

void print(const RegisterResponse& r) {
  if (r.user.id != UserId{} || !r.login.login_name.empty())
    std::printf("user        %llu %s\n", static_cast<unsigned long long>(r.user.id),
                printable(r.user.display_name).c_str());
  if (!r.login.login_name.empty()) std::printf("login       %s\n", printable(r.login.login_name).c_str());
  std::printf("authorized  %s\n", r.machine_authorized ? "yes" : "no");
  if (r.node_key_expired) std::printf("node key    expired\n");
  if (!r.node_key_signature.empty())
    std::printf("signature   to be made anew: tailnet lock, %zu bytes\n", r.node_key_signature.bytes.size());
  if (!r.auth_url.empty()) std::printf("log in at   %s\n", printable(r.auth_url, 2000).c_str());
  if (!r.error.empty()) std::printf("refused     %s\n", printable(r.error).c_str());
}

int verdict(const RegisterResponse& r) {
  if (!r.error.empty()) return 3;
  if (!r.auth_url.empty()) return 4;
  return r.node_key_expired ? 5 : 0;
}

int run(const Options& options) {
  NodeState state = load_state(options.node.state);
  if (options.rotate) state.rotate();
  NodeLink link(options.node, state.machine);
  RegisterRequest request = first_request(options, link, state);
  const auto deadline = options.node.dialing().timeout;
  const auto wait_deadline = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(options.wait_seconds));
  try {
    while (true) {
      const Outcome got = ask(link, request, request.followup.empty() ? deadline : wait_deadline);
      options.json ? void(std::printf("%s\n", got.json.c_str())) : print(got.response);
      std::fflush(stdout);
      const int code = verdict(got.response);
      state.followup = got.response.auth_url;
      // A key that was refused takes no place of one that is good.
      if (code == 0 || code == 4) save_state(options.node.state, state);
      if (code != 4 || !options.wait) return code;
      if (request.followup == got.response.auth_url) std::this_thread::sleep_for(pause_before_same_url);
      request.followup = got.response.auth_url;
      request.ephemeral = false;  // as the official client: the server remembers it
    }
  } catch (const RegisterRefused& refused) {
    std::fprintf(stderr, "ts2021: register: %s\n", refused.what());
    return 3;
  } catch (const CallError& error) {
    std::fprintf(stderr, "ts2021: register: %s\n", error.what());
    return 2;
  }
}

}  // namespace

Run add_register(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("register", "register a node, and show what the server answers");
  add_node_target(command, options->node);
  add_host(command, options->host);
  command.add_option("--auth-key", options->auth_key, "key that lets the node join");
  command.add_option("--followup", options->followup,
                     "the URL of an earlier answer: waits until it is decided");
  command.add_flag("--wait", options->wait, "when a person has to log in, wait until it is done");
  command
      .add_option("--wait-seconds", options->wait_seconds,
                  "how long a followup may take; 0: as long as it takes")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str();
  command.add_flag("--rotate", options->rotate,
                   "with a new node key, in place of the one in the state file; kept there unless refused");
  command.add_option("--old-node-key", options->old_node_key,
                     "nodekey:… that the node had before; by default what the state file says");
  CLI::Option* const logout = command.add_flag("--logout", options->logout, "with an expiry in the past");
  command.add_option("--expiry", options->expiry, "time when the key shall expire: 2030-01-31T12:00:00Z")
      ->excludes(logout);
  command.add_flag("--ephemeral", options->ephemeral, "ask to be forgotten once inactive");
  command.add_option("--tailnet", options->tailnet, "wanted tailnet; required:NAME insists");
  command.add_flag("--json", options->json, "print each answer as it came, one a line");
  command.footer(exit_codes);
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
