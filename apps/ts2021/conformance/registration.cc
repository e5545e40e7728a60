// SPDX-License-Identifier: BSD-3-Clause
// POST /machine/register.
#include <algorithm>
#include <array>

#include "ts2021/conformance/node_calls.h"

namespace ts2021::app::conformance {
namespace {

Outcome success(Context& context) {
  const TestNode& node = context.node();
  const RegisterResponse& response = *node.registered;
  return kept_if(!response.login.login_name.empty(), "a registration with all that the server wants",
                 "login " + printable(response.login.login_name) +
                     (response.machine_authorized ? "" : ", waits for approval"));
}

Outcome members(Context& context) {
  const std::string& json = context.node().registered_json;
  std::string missing;
  for (const std::string_view name :
       {"User", "Login", "NodeKeyExpired", "MachineAuthorized", "AuthURL", "Error"})
    if (json.find("\"" + std::string(name) + "\":") == std::string::npos) missing += " " + std::string(name);
  return kept_if(missing.empty(), "a registration",
                 missing.empty() ? "all six members" : "without" + missing);
}

Outcome again(Context& context) {
  TestNode& node = context.node();
  const Answer answer = context.send_register(node, context.register_request(node, false));
  const auto response = decode_copy<RegisterResponse>(answer.body);
  const bool good = answer.status == 200 && response && response->error.empty() &&
                    response->auth_url.empty() && !response->node_key_expired;
  return kept_if(good, "the registration of a node that is in, without an auth key", told(answer));
}

// The node does not get in, and is told so in a way that clients understand.
Outcome stays_out(std::string sent, const Answer& answer, bool login_is_fine) {
  if (answer.status != 200)
    return answer.status >= 400 ? differs(std::move(sent), told(answer))
                                : broken(std::move(sent), told(answer));
  const auto response = decode_copy<RegisterResponse>(answer.body);
  if (!response) return broken(std::move(sent), told(answer));
  if (response->machine_authorized && (!response->error.empty() || !response->auth_url.empty()))
    return broken(std::move(sent), "MachineAuthorized beside a refusal: " + told(answer));
  if (!response->error.empty()) return kept(std::move(sent), "Error: " + printable(response->error));
  if (!response->auth_url.empty() && login_is_fine)
    return kept(std::move(sent), "AuthURL: " + printable(response->auth_url));
  if (!response->auth_url.empty())
    return differs(std::move(sent), "AuthURL: " + printable(response->auth_url));
  if (!response->machine_authorized)
    return broken(std::move(sent), "neither Error nor AuthURL: " + told(answer));
  return not_applicable(std::move(sent), "the server lets it in");
}

Outcome bad_auth_key(Context& context) {
  TestNode& node = context.fresh_node();
  RegisterRequest request = context.register_request(node);
  request.auth.emplace().auth_key = "no-such-key-0123456789";
  return stays_out("a registration with an unknown auth key", context.send_register(node, request), false);
}

Outcome no_auth_key(Context& context) {
  TestNode& node = context.fresh_node();
  return stays_out("a registration without an auth key",
                   context.send_register(node, context.register_request(node, false)), true);
}

Outcome guessable_login(Context& context) {
  std::array<std::string, 2> urls;
  for (std::string& url : urls) {
    TestNode& node = context.fresh_node();
    const Answer answer = context.send_register(node, context.register_request(node, false));
    const auto response = decode_copy<RegisterResponse>(answer.body);
    if (answer.status != 200 || !response || response->auth_url.empty())
      return not_applicable("two registrations without an auth key", told(answer));
    url = response->auth_url;
  }
  const std::size_t slash = urls[0].rfind('/');
  const std::size_t id = slash == std::string::npos ? 0 : urls[0].size() - slash - 1;
  return kept_if(urls[0] != urls[1] && id >= 16, "two registrations without an auth key",
                 printable(urls[0]) + " and " + printable(urls[1]));
}

Outcome no_version(Context& context) {
  TestNode& node = context.fresh_node();
  RegisterRequest request = context.register_request(node);
  request.version = Capability{0};
  const Answer answer = context.send_register(node, request);
  if (answer.status >= 400) return kept("a registration without a version", told(answer));
  return broken("a registration without a version", told(answer));
}

Outcome no_node_key(Context& context) {
  TestNode& node = context.fresh_node();
  RegisterRequest request = context.register_request(node);
  request.node_key = {};
  const Answer answer = context.send_register(node, request);
  const auto response = decode_copy<RegisterResponse>(answer.body);
  const bool out = answer.status >= 400 || (response && !response->error.empty());
  return kept_if(out, "a registration with a zero node key", told(answer));
}

Outcome spelling(Context& context) {
  TestNode& node = context.node();
  std::string body = encoded(context.register_request(node, false), context.plan().version);
  for (const auto& [from, to] :
       {std::pair{"\"Hostinfo\"", "\"HostInfo\""}, std::pair{"\"NodeKey\"", "\"nodekey\""}})
    if (const std::size_t at = body.find(from); at != std::string::npos)
      body.replace(at, std::string_view(from).size(), to);
  body.insert(1, "\"NoSuchMember\":[{\"a\":null}],");
  const Answer answer = context.call(node, {.path = "/machine/register", .body = body});
  const auto response = decode_copy<RegisterResponse>(answer.body);
  return kept_if(answer.status == 200 && response && response->error.empty(),
                 "a registration with HostInfo, nodekey, and a member that nobody knows", told(answer));
}

Outcome load_balancer(Context& context) {
  TestNode& node = context.node();
  const Answer answer =
      context.call(node, {.path = "/machine/register",
                          .body = encoded(context.register_request(node, false), context.plan().version),
                          .headers = {{"ts-lb", context.fresh_node().node.public_key().text()}}});
  return kept_if(answer.status == 200, "a registration with another node's Ts-Lb", told(answer));
}

Outcome logout(Context& context) {
  TestNode& node = context.fresh_node();
  const Answer in = context.send_register(node, context.register_request(node));
  const std::string sent = "a registration, a logout, a map request";
  if (!node.registered) return not_applicable(sent, "no third node gets in: " + told(in));
  RegisterRequest out = context.register_request(node, false);
  out.expiry = Time(WallTime(std::chrono::seconds(123)));
  const Answer answer = context.send_register(node, out);
  node.registered.reset();
  const auto response = decode_copy<RegisterResponse>(answer.body);
  if (answer.status != 200 || !response || !response->error.empty())
    return broken(sent, "logout: " + told(answer));
  RegisterRequest back = context.register_request(node, false);
  const Answer later = context.send_register(node, back);
  const auto said = decode_copy<RegisterResponse>(later.body);
  if (later.status == 200 && said && said->error.empty() && said->auth_url.empty() &&
      !said->node_key_expired) {
    TestNode& stranger = context.fresh_node();
    (void)context.send_register(stranger, context.register_request(stranger, false));
    if (stranger.registered) return not_applicable(sent, "anybody gets in, without an auth key");
    return broken(sent, "it comes back without an auth key: " + told(later));
  }
  return kept(sent, "logout: status 200; then " + told(later));
}

Outcome unknown_logout(Context& context) {
  TestNode& node = context.fresh_node();
  RegisterRequest out = context.register_request(node);
  out.expiry = Time(WallTime(std::chrono::seconds(123)));
  const Answer answer = context.send_register(node, out);
  MapPoll poll(context, node, context.map_request(node));
  (void)poll.wait([](const MapPoll& p) { return p.status() != 0; }, context.patience().answer);
  return kept_if(poll.status() != 200, "a logout of an unknown key with an auth key, then a map request",
                 told(answer) + "; map: " + poll.state());
}

constexpr std::array checks{
    Check{"register.success", "API-52", Level::must, needs::node, "a success names user and login",
          "clients show the login, and refuse an empty name", success},
    Check{"register.members", "API-67", Level::must, needs::node, "the answer has all its members",
          "the Rust client takes them for required", members},
    Check{"register.again", "API-44", Level::must, needs::node,
          "a node that is in stays in without an auth key", "clients register again whenever they start",
          again},
    Check{"register.auth-key", "API-46", Level::must, needs::noise,
          "an unknown auth key is refused in Error, with status 200",
          "clients show it; other statuses they repeat", bad_auth_key},
    Check{"register.login", "API-41", Level::must, needs::noise,
          "without an auth key a node gets an AuthURL or an Error", "clients wait for one of them",
          no_auth_key},
    Check{"register.url", "API-83", Level::must, needs::noise, "an AuthURL can't be guessed",
          "who guesses one logs a stranger's machine in", guessable_login},
    Check{"register.version", "API-40", Level::should, needs::noise | needs::hostile,
          "a request without a version is malformed", "no client sends it", no_version},
    Check{"register.zero", "API-40", Level::must, needs::noise | needs::hostile, "a zero node key is no node",
          "all who have none would be one node", no_node_key},
    Check{"register.spelling", "API-62", Level::must, needs::node,
          "names of members match in any case, unknown ones are skipped",
          "the Rust client writes HostInfo; newer clients write more", spelling},
    Check{"register.ts-lb", "H2-10", Level::must, needs::node, "Ts-Lb decides nothing",
          "anybody can write anything there", load_balancer},
    Check{"register.logout", "API-47", Level::must, needs::node, "a logout is one",
          "who has the node key is in for ever", logout},
    Check{"register.unknown-logout", "API-43", Level::should, needs::node,
          "a logout of an unknown key makes no node", "clients that leave would come in", unknown_logout},
};

}  // namespace

std::span<const Check> registration_checks() { return checks; }

}  // namespace ts2021::app::conformance
