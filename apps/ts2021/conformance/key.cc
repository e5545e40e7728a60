// SPDX-License-Identifier: BSD-3-Clause
// GET /key.
#include <algorithm>
#include <array>

#include "ts2021/conformance/context.h"

namespace ts2021::app::conformance {
namespace {

std::string get(const Context& context, std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: " + context.host() +
         "\r\nUser-Agent: Go-http-client/1.1\r\n" + (method == "GET" ? "" : "Content-Length: 0\r\n") + "\r\n";
}

std::string versioned(const Context& context, unsigned version) {
  (void)context;
  return "/key?v=" + std::to_string(version);
}
std::string newest(const Context& context) {
  return versioned(context, static_cast<unsigned>(context.plan().version));
}

bool is_json_form(const HttpAnswer& answer) {
  return answer.status == 200 && decode_copy<ServerKey>(as_bytes(answer.body)).has_value();
}

bool is_bare_form(const HttpAnswer& answer) {
  return answer.status == 200 && ControlBoxPublic::parse_bare(answer.body).has_value();
}

Outcome json_form(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context)));
  const std::string sent = "GET /key of the newest version";
  const auto key = decode_copy<ServerKey>(as_bytes(answer.body));
  if (answer.status != 200 || !key) return broken(sent, answer.told());
  if (key->public_key.is_zero()) return broken(sent, "no Noise key: " + answer.told());
  return kept(sent, "publicKey " + key->public_key.text());
}

Outcome both_members(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context)));
  const bool both = answer.body.find("\"legacyPublicKey\"") != std::string::npos &&
                    answer.body.find("\"publicKey\"") != std::string::npos;
  return kept_if(both, "GET /key of the newest version", answer.told());
}

Outcome text_form(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context)));
  const std::string_view body = answer.body;
  for (const std::string_view name : {"\"publicKey\":", "\"legacyPublicKey\":"}) {
    std::size_t at = body.find(name);
    if (at == std::string_view::npos) continue;  // another check's
    at = std::min(body.find('"', at + name.size()), body.size() - 1);
    const std::string_view key = body.substr(at + 1, 69),
                           hex = key.substr(std::min<std::size_t>(5, key.size()));
    if (!key.starts_with("mkey:") || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos ||
        hex.size() != 64)
      return broken("GET /key", std::string(name) + " " + std::string(key));
  }
  return kept_if(answer.status == 200, "GET /key", answer.told());
}

Outcome keys_differ(Context& context) {
  const ControlBoxPublic box = context.box_key();
  if (box.is_zero()) return not_applicable("GET /key in both forms", "no NaCl key");
  return kept_if(box.bare_text() != context.keys().public_key.text().substr(5), "GET /key in both forms",
                 "NaCl key " + box.bare_text());
}

Outcome small_and_plain(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context)));
  const std::string coding = answer.header("content-encoding");
  return kept_if(answer.status == 200 && answer.body.size() <= (64u << 10) && coding.empty(), "GET /key",
                 std::to_string(answer.body.size()) + " bytes" +
                     (coding.empty() ? "" : ", Content-Encoding " + printable(coding, 40)));
}

Outcome absolute_form(Context& context) {
  const auto [answer, state] = context.ask("GET http://elsewhere.example.com" + newest(context) +
                                           " HTTP/1.1\r\nhost: elsewhere.example.com\r\n\r\n");
  return kept_if(is_json_form(answer), "GET /key in absolute form with another host's name", answer.told());
}

Outcome no_store(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context)));
  const std::string control = answer.header("cache-control");
  return kept_if(control.find("no-store") != std::string::npos, "GET /key",
                 control.empty() ? "no Cache-Control" : "Cache-Control: " + printable(control, 40));
}

Outcome bare_form(Context& context) {
  const auto [answer, state] = context.ask(get(context, "/key"));
  const std::string sent = "GET /key without a version";
  if (is_bare_form(answer)) return kept(sent, "64 hex digits");
  if (answer.status == 200) return broken(sent, answer.told());
  if (answer.refused()) return kept(sent, answer.told());
  return broken(sent, answer.told());
}

Outcome old_version(Context& context) {
  const auto [answer, state] = context.ask(get(context, versioned(context, 27)));
  const std::string sent = "GET /key?v=27";
  if (is_bare_form(answer) || answer.refused()) return kept(sent, answer.told());
  if (is_json_form(answer)) return differs(sent, answer.told());
  return broken(sent, answer.told());
}

Outcome not_two_zeros(Context& context) {
  std::string got;
  for (const unsigned version : {28u, 32u, 46u, 68u, 88u}) {
    const auto [answer, state] = context.ask(get(context, versioned(context, version)));
    if (!got.empty()) got += "; ";
    got += std::to_string(version) + ": ";
    const auto key = decode_copy<ServerKey>(as_bytes(answer.body));
    if (answer.status == 200 && key && key->public_key.is_zero() && key->legacy_public_key.is_zero())
      return broken("GET /key of versions 28 to 88", got + "two zero keys");
    got += answer.status == 200 ? (key                    ? "JSON"
                                   : is_bare_form(answer) ? "bare"
                                                          : "neither form")
                                : "status " + std::to_string(answer.status);
  }
  return kept("GET /key of versions 28 to 88", got);
}

Outcome no_number(Context& context) {
  std::string got;
  bool all = true;
  for (const std::string_view value : {"abc", "-1", "99999999999999999999"}) {
    const auto [answer, state] = context.ask(get(context, "/key?v=" + std::string(value)));
    if (answer.status == 0 || answer.status >= 500)
      return broken("GET /key?v=" + std::string(value), answer.told());
    all = all && answer.status == 400;
    got += std::string(got.empty() ? "" : "; ") + std::string(value) + ": " + std::to_string(answer.status);
  }
  return all ? kept("GET /key with no number", got) : differs("GET /key with no number", got);
}

Outcome twice(Context& context) {
  const auto [answer, state] = context.ask(get(context, newest(context) + "&v=1&v=abc"));
  return kept_if(is_json_form(answer) || answer.refused(), "GET /key with v three times, the good one first",
                 answer.told());
}

Outcome other_methods(Context& context) {
  std::string got;
  bool all = true;
  for (const std::string_view method : {"POST", "PUT", "DELETE"}) {
    const auto [answer, state] = context.ask(get(context, newest(context), method));
    if (answer.status == 0 || answer.status >= 500) return broken(std::string(method), answer.told());
    all = all && (answer.status == 405 || answer.status == 404);
    got += std::string(got.empty() ? "" : "; ") + std::string(method) + ": " + std::to_string(answer.status);
  }
  return all ? kept("POST, PUT, DELETE /key", got) : differs("POST, PUT, DELETE /key", got);
}

Outcome kept_alive(Context& context) {
  RawConnection connection = context.connect();
  connection.send(get(context, newest(context)));
  const HttpAnswer first = read_answer(connection);
  if (first.header("connection") == "close")
    return differs("GET /key twice on one connection", "Connection: close");
  connection.send(get(context, newest(context)));
  const HttpAnswer second = read_answer(connection);
  return kept_if(is_json_form(second), "GET /key twice on one connection", second.told());
}

constexpr std::array checks{
    Check{"key.json", "SRV-6", Level::must, 0, "the newest version gets JSON with a Noise key",
          "clients from 1.64 on say that the server is too old", json_form},
    Check{"key.members", "SRV-6", Level::must, 0, "the JSON has both members",
          "the Rust client refuses an answer without legacyPublicKey", both_members},
    Check{"key.text", "KEY-1", Level::must, 0, "keys are mkey: and 64 lower-case hex digits",
          "readers take no other prefix or length", text_form},
    Check{"key.differ", "KEY-6", Level::must, needs::legacy, "the two keys differ",
          "one key in two protocols has the security of neither", keys_differ},
    Check{"key.small", "SRV-6", Level::must, 0, "the answer is small and not encoded",
          "clients read 64 KiB, and undo no coding", small_and_plain},
    Check{"key.absolute", "ENT-3", Level::must, 0, "the request may come in absolute form",
          "the Rust client sends no other", absolute_form},
    Check{"key.no-store", "SRV-5", Level::should, 0, "the answer is not to be stored",
          "a proxy may hand out a key that is gone", no_store},
    Check{"key.bare", "SRV-2", Level::must, 0, "without a version the answer is 64 hex digits or an error",
          "clients up to 1.22 take 200 for a key, and a newline for a part of it", bare_form},
    Check{"key.old", "SRV-2", Level::should, 0, "a version below 28 is treated as none",
          "no released client sends it", old_version},
    Check{"key.zeros", "SRV-4", Level::must, 0, "versions 28 to 88 never get two zero keys",
          "they would make a box with a zero key, and crash", not_two_zeros},
    Check{"key.number", "SRV-1", Level::must, 0, "a version that is no number does no harm",
          "an error is plainer than a guess", no_number},
    Check{"key.twice", "SRV-1", Level::must, 0, "of several versions the first counts, or it is refused",
          "a server that falls over is gone for everybody", twice},
    Check{"key.methods", "ENT-11", Level::should, 0, "other methods than GET are refused",
          "no client sends them", other_methods},
    Check{"key.keep-alive", "SRV-1", Level::must, 0, "a second request on the connection is answered",
          "clients of TS2019 go on to register on it", kept_alive},
};

}  // namespace

std::span<const Check> key_checks() { return checks; }

}  // namespace ts2021::app::conformance
