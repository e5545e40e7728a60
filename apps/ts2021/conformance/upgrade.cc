// SPDX-License-Identifier: BSD-3-Clause
// The native upgrade: what clients of all kinds send, and what they want to read.
#include <array>

#include "entry/base64.h"
#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {
namespace {

constexpr std::string_view handshake_field = "X-Tailscale-Handshake: ";
constexpr std::string_view upgrade_field = "Upgrade: tailscale-control-protocol\r\n";

// The upgrade goes through to a message 2 that is right.
Outcome goes_through(Context& context, std::string sent,
                     const std::function<std::string(const std::string& handshake)>& request) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(request(entry::base64_encode(initiation.message)));
  const HttpAnswer answer = read_answer(connection);
  if (answer.status != 101) return broken(std::move(sent), answer.told());
  const bool good = initiation.finish(read_response(connection)).has_value();
  return kept_if(good, std::move(sent),
                 good ? "101 and message 2" : "101, but no message 2; connection " + connection.state());
}

std::string head(const Context& context, std::string_view lines, std::string_view first = "POST /ts2021") {
  return std::string(first) + " HTTP/1.1\r\nHost: " + context.host() + "\r\n" + std::string(lines) + "\r\n";
}

Outcome official(Context& context) {
  return goes_through(context, "the upgrade as the official client sends it", [&](const auto& handshake) {
    return head(context, "User-Agent: Go-http-client/1.1\r\nContent-Length: 0\r\nConnection: upgrade\r\n" +
                             std::string(upgrade_field) + std::string(handshake_field) + handshake + "\r\n");
  });
}

Outcome rust(Context& context) {
  return goes_through(context,
                      "the upgrade as the Rust client sends it: absolute form, lower case, no length",
                      [&](const auto& handshake) {
                        return "POST http://elsewhere.example.com/ts2021 HTTP/1.1\r\nhost: "
                               "elsewhere.example.com\r\nupgrade: tailscale-control-protocol\r\nconnection: "
                               "Upgrade\r\nx-tailscale-handshake: " +
                               handshake + "\r\n\r\n";
                      });
}

Outcome answer_head(Context& context) {
  Initiation initiation = context.initiation();
  RawConnection connection = context.connect();
  connection.send(upgrade_request(context.host(), initiation.message));
  const HttpAnswer answer = read_answer(connection);
  const std::string upgrade = answer.header("upgrade"), option = answer.header("connection");
  const bool good = answer.status == 101 && upgrade == "tailscale-control-protocol" &&
                    same_token(option, "upgrade") && answer.header("content-length").empty() &&
                    answer.header("transfer-encoding").empty();
  return kept_if(good, "the upgrade",
                 "status " + std::to_string(answer.status) + ", Connection: " + printable(option, 40) +
                     ", Upgrade: " + printable(upgrade, 40));
}

Outcome any_case(Context& context) {
  return goes_through(context, "Upgrade: TAILSCALE-Control-Protocol", [&](const auto& handshake) {
    return head(context, "Connection: upgrade\r\nUpgrade: TAILSCALE-Control-Protocol\r\n" +
                             std::string(handshake_field) + handshake + "\r\n");
  });
}

Outcome no_connection(Context& context) {
  return goes_through(context, "an upgrade without Connection", [&](const auto& handshake) {
    return head(context, std::string(upgrade_field) + std::string(handshake_field) + handshake + "\r\n");
  });
}

Outcome other_host(Context& context) {
  return goes_through(context, "an upgrade with another Host", [&](const auto& handshake) {
    return "POST /ts2021 HTTP/1.1\r\nHost: elsewhere.example.com:8443\r\nConnection: upgrade\r\n" +
           std::string(upgrade_field) + std::string(handshake_field) + handshake + "\r\n\r\n";
  });
}

Outcome by_get(Context& context) {
  Outcome outcome = goes_through(context, "a native upgrade by GET", [&](const auto& handshake) {
    return head(context,
                "Connection: upgrade\r\n" + std::string(upgrade_field) + std::string(handshake_field) +
                    handshake + "\r\n",
                "GET /ts2021");
  });
  return outcome;
}

// The request is refused before a 101; 400 is the reference's status.
Outcome is_refused(Context& context, std::string sent, const std::string& request) {
  const auto [answer, state] = context.ask(request);
  if (answer.status == 400) return kept(std::move(sent), answer.told());
  if (answer.status >= 400) return differs(std::move(sent), answer.told());
  return broken(std::move(sent), answer.told() + ", connection " + state);
}

std::string good_handshake(Context& context) { return entry::base64_encode(context.initiation().message); }

Outcome no_upgrade(Context& context) {
  return is_refused(context, "POST /ts2021 without Upgrade",
                    head(context, "Content-Length: 0\r\n" + std::string(handshake_field) +
                                      good_handshake(context) + "\r\n"));
}

Outcome other_protocols(Context& context) {
  Worst worst("another protocol, and a list that has the right one");
  for (const std::string_view value : {"h2c", "foo, tailscale-control-protocol"})
    worst.add(value,
              is_refused(context, {},
                         head(context, "Connection: upgrade\r\nUpgrade: " + std::string(value) + "\r\n" +
                                           std::string(handshake_field) + good_handshake(context) + "\r\n")));
  return worst.outcome();
}

std::string with_handshake(const Context& context, std::string_view line) {
  return head(context, "Content-Length: 0\r\nConnection: upgrade\r\n" + std::string(upgrade_field) +
                           std::string(line));
}

Outcome no_handshake(Context& context) {
  Worst worst("no handshake");
  worst.add("absent", is_refused(context, {}, with_handshake(context, "")));
  worst.add("empty", is_refused(context, {}, with_handshake(context, "X-Tailscale-Handshake:\r\n")));
  return worst.outcome();
}

Outcome bad_base64(Context& context) {
  const std::string good = good_handshake(context);
  Worst worst("handshakes that are no padded standard base64");
  const auto add = [&](std::string_view what, const std::string& value) {
    worst.add(what, is_refused(context, {},
                               with_handshake(context, std::string(handshake_field) + value + "\r\n")));
  };
  add("URL alphabet", "-" + good.substr(1));
  add("no padding", good.substr(0, 135));
  add("a space", good.substr(0, 60) + " " + good.substr(60));
  add("none at all", "%%%");
  return worst.outcome();
}

Outcome refusal_text(Context& context) {
  const auto [answer, state] = context.ask(head(context, "Content-Length: 0\r\n"));
  const std::string type = answer.header("content-type");
  return kept_if(answer.refused() && type.starts_with("text/plain") && answer.body.ends_with('\n') &&
                     answer.header("x-content-type-options") == "nosniff",
                 "POST /ts2021 without Upgrade", answer.told() + ", Content-Type: " + printable(type, 40));
}

// Neither the answer of a node nor that of a map.
Outcome other_paths(Context& context) {
  Worst worst("paths of the Noise site on the outer one");
  for (const std::string_view path : {"/machine/register", "/machine/map"}) {
    const auto [answer, state] =
        context.ask("POST " + std::string(path) + " HTTP/1.1\r\nHost: " + context.host() +
                    "\r\nContent-Length: 2\r\n\r\n{}");
    const std::string got = answer.told() + ", connection " + state;
    worst.add(path, answer.status == 404 || answer.status == 405 ? kept({}, got)
                    : answer.status == 200 && answer.body.find("<html") == std::string::npos
                        ? broken({}, got)
                        : differs({}, got));
  }
  return worst.outcome();
}

constexpr std::array checks{
    Check{"upgrade.official", "ENT-1", Level::must, needs::noise,
          "the official client's upgrade goes through", "nobody gets in", official},
    Check{"upgrade.rust", "ENT-3", Level::must, needs::noise, "the Rust client's upgrade goes through",
          "it sends absolute form, lower-case names, and no Content-Length", rust},
    Check{"upgrade.answer", "ENT-6", Level::must, needs::noise,
          "the answer is 101 with Connection: upgrade and the protocol in its one spelling",
          "Go clients compare it byte for byte", answer_head},
    Check{"upgrade.case", "ENT-4", Level::should, needs::noise, "the protocol's name is read in any case",
          "no known client writes it otherwise", any_case},
    Check{"upgrade.no-connection", "ENT-4", Level::should, needs::noise,
          "an upgrade without Connection goes through", "some proxies drop the field", no_connection},
    Check{"upgrade.host", "ENT-3", Level::must, needs::noise, "the Host field decides nothing",
          "clients dial addresses of a plan, ports of their own, and proxies", other_host},
    Check{"upgrade.get", "ENT-4", Level::should, needs::noise, "a native upgrade by GET is taken like POST",
          "the reference's upgrade code does not look at the method; no client needs it", by_get},
    Check{"upgrade.none", "ENT-4", Level::must, needs::noise, "a request without Upgrade gets 400",
          "a client must not take it for a success", no_upgrade},
    Check{"upgrade.other", "ENT-4", Level::must, needs::noise, "another protocol, or a list, gets 400",
          "a client must not take it for a success", other_protocols},
    Check{"upgrade.no-handshake", "ENT-4", Level::must, needs::noise,
          "a request without a handshake gets 400", "a client must not take it for a success", no_handshake},
    Check{"upgrade.base64", "ENT-4", Level::must, needs::noise,
          "a handshake that is no padded standard base64 gets 400", "a client must not take it for a success",
          bad_base64},
    Check{"upgrade.text", "ENT-11", Level::should, needs::noise,
          "refusals are plain text that ends in a newline", "only people read it", refusal_text},
    Check{"upgrade.sites", "BOX-5", Level::must, needs::noise,
          "what belongs inside Noise is not found outside", "it would be reachable without a machine key",
          other_paths},
};

}  // namespace

std::span<const Check> upgrade_checks() { return checks; }

}  // namespace ts2021::app::conformance
