// SPDX-License-Identifier: BSD-3-Clause
// Hostile bodies of requests.
#include <array>

#include "ts2021/conformance/node_calls.h"

namespace ts2021::app::conformance {
namespace {

Outcome not_json(Context& context) {
  Worst worst("bodies that are no request");
  for (const std::string_view path : {"/machine/register", "/machine/map"})
    for (const auto& [what, body] : {std::pair<std::string_view, std::string>{"empty", ""},
                                     {"cut", "{\"Version\":138,\"NodeKey\":"},
                                     {"a list", "[]"},
                                     {"bytes", std::string("\0\xff\xfe\x80", 4)},
                                     {"a bad key", "{\"Version\":138,\"NodeKey\":\"nodekey:12\"}"},
                                     {"a wrong type", "{\"Version\":\"x\",\"NodeKey\":7}"}}) {
      TestNode& node = context.fresh_node();
      const Answer answer = context.call(node, {.path = std::string(path), .body = body});
      const std::string name = std::string(path.substr(9)) + " " + std::string(what);
      const auto response = decode_copy<RegisterResponse>(answer.body);
      const bool refused = answer.status >= 400 || (answer.status == 200 && path == "/machine/register" &&
                                                    response && !response->error.empty());
      const std::string got = std::to_string(answer.status);
      worst.add(name, !refused               ? broken({}, told(answer))
                      : answer.status >= 500 ? differs({}, got)
                                             : kept({}, got));
    }
  return worst.outcome();
}

Outcome deep(Context& context) {
  TestNode& node = context.fresh_node();
  const std::string body =
      "{\"Version\":138,\"Hostinfo\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  const Answer answer = context.call(node, {.path = "/machine/register", .body = body});
  return kept_if(answer.status >= 400, "JSON 100,000 deep", told(answer));
}

Outcome too_long(Context& context) {
  TestNode& node = context.fresh_node();
  const std::string sent = "a body of 4 MiB";
  try {
    const Answer answer =
        context.call(node, {.path = "/machine/register",
                            .body = "{\"Version\":138,\"x\":\"" + std::string(4 << 20, 'x') + "\"}"});
    if (answer.status == 413) return kept(sent, told(answer));
    return answer.status >= 400 ? differs(sent, told(answer)) : broken(sent, told(answer));
  } catch (const CallError& error) {
    return differs(sent, error.what());
  }
}

Outcome strange_text(Context& context) {
  TestNode& node = context.node();
  RegisterRequest request = context.register_request(node, false);
  request.hostinfo->hostname = "\x1b[31m<script>alert(1)</script>'\"\n" + std::string(300, 'x');
  request.hostinfo->os = "\xc3\x28";
  const Answer answer = context.send_register(node, request);
  MapRequest ask = context.map_request(node);
  ask.stream = true;
  ask.hostinfo = request.hostinfo;
  MapPoll poll(context, node, ask);
  const MapResponse& map = poll.first(context.patience().answer).response;
  const bool plain = map.node && map.node->name.find_first_of("<>'\"\n\x1b ") == std::string::npos;
  (void)context.send_register(node, context.register_request(node, false));
  return kept_if(
      plain, "a host name with escapes, markup, quotes, and 300 letters",
      told(answer).substr(0, 40) + "; Name " + (map.node ? printable(map.node->name, 80) : std::string()));
}

Outcome wide_numbers(Context& context) {
  Worst worst("versions that are no version");
  for (const std::string_view version : {"-1", "65536", "99999999999999999999", "1e3"}) {
    TestNode& node = context.fresh_node();
    const Answer answer =
        context.call(node, {.path = "/machine/map",
                            .body = "{\"Version\":" + std::string(version) + ",\"NodeKey\":\"" +
                                    node.node.public_key().text() + "\"}"});
    worst.add(version, answer.status >= 500 ? differs({}, told(answer))
                                            : kept_if(answer.status >= 400, {}, told(answer)));
  }
  return worst.outcome();
}

constexpr unsigned loud = needs::noise | needs::hostile;
constexpr std::array checks{
    Check{"message.json", "API-40", Level::must, loud, "a body that is no request is refused",
          "a zero request would be somebody's", not_json},
    Check{"message.deep", "API-63", Level::must, loud, "JSON that is deep is refused", "it costs the stack",
          deep},
    Check{"message.long", "H2-11", Level::should, loud, "a body of megabytes is refused", "it costs memory",
          too_long},
    Check{"message.text", "API-77", Level::must, loud | needs::node,
          "what a host says of itself comes out as a name", "peers show it, and make names of it",
          strange_text},
    Check{"message.version", "API-40", Level::must, loud, "a number that is no version is refused",
          "the form of answers depends on it", wide_numbers},
};

}  // namespace

std::span<const Check> hostile_message_checks() { return checks; }

}  // namespace ts2021::app::conformance
