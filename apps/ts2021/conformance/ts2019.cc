// SPDX-License-Identifier: BSD-3-Clause
// The protocol of clients before 1.24: NaCl boxes on the outer site.
#include <algorithm>
#include <array>

#include "crypto/box.h"
#include "ts2021/conformance/context.h"
#include "ts2021/legacy/nacl_box.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_response.h"

namespace ts2021::app::conformance {
namespace {

std::string post(const Context& context, std::string_view path, Bytes body,
                 std::string_view method = "POST") {
  return std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: " + context.host() +
         "\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(as_text(body));
}

// A machine of the old protocol.
struct OldMachine {
  explicit OldMachine(Context& context)
      : keys(MachineKeyPair::generate(context.entropy())), node(NodePrivate::generate(context.entropy())) {
    auto made = NaclBox::between(keys.secret, context.box_key());
    if (!made) throw Obstacle("BOX-3: the server's NaCl key has low order");
    box.emplace(*std::move(made));
  }
  [[nodiscard]] std::string path(std::string_view more = "") const {
    return "/machine/" + keys.open.bare_text() + std::string(more);
  }
  [[nodiscard]] std::vector<std::uint8_t> seal(Context& context, std::string_view text) const {
    std::vector<std::uint8_t> whole(NaclBox::overhead + text.size());
    std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
    (void)box->seal(whole, context.entropy());
    return whole;
  }
  [[nodiscard]] std::optional<std::string> open(std::string_view sealed) const {
    std::vector<std::uint8_t> whole(sealed.begin(), sealed.end());
    const auto text = box->open(whole);
    if (!text) return std::nullopt;
    return std::string(as_text(*text));
  }
  [[nodiscard]] std::string registration(const Context& context, bool log_out = false) const {
    RegisterRequest request;
    request.version = Capability{1};
    request.node_key = node.public_key();
    request.ephemeral = true;
    if (log_out) request.expiry = Time(WallTime(std::chrono::seconds(123)));
    if (!context.plan().auth_key.empty() && !log_out)
      request.auth.emplace().auth_key = context.plan().auth_key;
    Hostinfo& host = request.hostinfo.emplace();
    host.hostname = "conformance-old";
    host.os = "linux";
    host.backend_log_id = "ts2021";
    return encoded(request, Capability::v1_20);
  }
  MachineKeyPair keys;
  NodePrivate node;
  std::optional<NaclBox> box;
};

Outcome registers(Context& context) {
  OldMachine machine(context);
  const auto [answer, state] =
      context.ask(post(context, machine.path(), machine.seal(context, machine.registration(context))));
  const std::string sent = "a registration in a box";
  if (answer.status != 200) return broken(sent, answer.told());
  const auto json = machine.open(answer.body);
  if (!json) return broken(sent, "the answer is no box of this pair");
  const auto response = decode_copy<RegisterResponse>(as_bytes(*json));
  (void)context.ask(
      post(context, machine.path(), machine.seal(context, machine.registration(context, true))));
  return kept_if(response.has_value(), sent, printable(*json, 200));
}

Outcome fresh_nonces(Context& context) {
  OldMachine machine(context);
  std::array<std::string, 2> nonces;
  for (std::string& nonce : nonces) {
    const auto [answer, state] = context.ask(
        post(context, machine.path(), machine.seal(context, machine.registration(context, true))));
    if (answer.status != 200) return not_applicable("two logouts in boxes", answer.told());
    nonce = answer.body.substr(0, NaclBox::nonce_size);
  }
  return kept_if(nonces[0] != nonces[1], "two logouts in boxes",
                 nonces[0] != nonces[1] ? "two nonces" : "one nonce for both");
}

Outcome maps(Context& context) {
  OldMachine machine(context);
  RawConnection connection = context.connect();
  connection.send(post(context, machine.path(), machine.seal(context, machine.registration(context))));
  const HttpAnswer in = read_answer(connection);
  const std::string sent = "a registration and a map request, in boxes, on one connection";
  const auto registered = machine.open(in.body);
  const auto response = registered ? decode_copy<RegisterResponse>(as_bytes(*registered)) : Error{};
  if (!response || !response->error.empty() || !response->auth_url.empty())
    return not_applicable(
        sent, "the node does not get in: " + (registered ? printable(*registered, 160) : in.told()));
  MapRequest request;
  request.version = Capability::v1_20;
  request.node_key = machine.node.public_key();
  request.disco_key = DiscoPrivate::generate(context.entropy()).public_key();
  request.compress = "zstd";
  const std::string body = encoded(request, Capability::v1_20);
  context.pace();
  connection.send(post(context, machine.path("/map"), machine.seal(context, body)));
  const HttpAnswer answer = read_answer(connection);
  (void)context.ask(
      post(context, machine.path(), machine.seal(context, machine.registration(context, true))));
  if (answer.status != 200) return broken(sent, answer.told());
  const Bytes framed = as_bytes(answer.body);
  if (framed.size() < 4 || load_u32le(framed) != framed.size() - 4)
    return broken(sent, "not one message: " + std::to_string(framed.size()) + " bytes");
  const auto packed = machine.open(std::string_view(answer.body).substr(4));
  if (!packed) return broken(sent, "the message is no box of this pair");
  MapUnpacker unpacker(Compression::zstd, 64 << 20);
  const auto json = unpacker.unpack(as_bytes(*packed));
  if (!json) return broken(sent, "no zstd inside the box");
  const auto map = decode_copy<MapResponse>(*json);
  return kept_if(map && map->node, sent, std::to_string(json->size()) + " bytes of JSON");
}

// An error, or at least no answer.
Outcome is_refused(const Exchange& got) {
  const std::string told = got.answer.told() + ", connection " + got.state;
  if (got.answer.refused()) return kept({}, std::to_string(got.answer.status));
  return got.answer.status == 0 && got.state != "left open" ? differs({}, told) : broken({}, told);
}

Outcome bad_paths(Context& context) {
  OldMachine machine(context);
  const auto box = machine.seal(context, machine.registration(context));
  Worst worst("boxes for paths that name no machine");
  for (const auto& [what, name] :
       {std::pair{"63 digits", std::string(63, 'a')}, std::pair{"no hex", std::string(64, 'z')},
        std::pair{"with prefix", "mkey:" + machine.keys.open.bare_text()},
        std::pair{"zero key", std::string(64, '0')}}) {
    worst.add(what, is_refused(context.ask(post(context, "/machine/" + name, box))));
  }
  return worst.outcome();
}

// The key of a pair with a point of low order is the same for all servers, so that anybody can seal.
Outcome low_order(Context& context) {
  Worst worst("boxes of machines whose key has low order, sealed with the key that all such pairs have");
  // HSalsa20 of a zero result and a zero input: NaCl's key of such a pair.
  static constexpr std::array<std::uint8_t, 32> constant{
      0x35, 0x1f, 0x86, 0xfa, 0xa3, 0xb9, 0x88, 0x46, 0x8a, 0x85, 0x01, 0x22, 0xb6, 0x5b, 0x0a, 0xce,
      0xce, 0x9c, 0x48, 0x26, 0x80, 0x6a, 0xee, 0xe6, 0x3d, 0xe9, 0xc0, 0xda, 0x2b, 0xd7, 0xf9, 0x1e};
  OldMachine machine(context);
  const std::string text = machine.registration(context);
  for (const std::string_view point : {"0100000000000000000000000000000000000000000000000000000000000000",
                                       "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}) {
    std::vector<std::uint8_t> whole(NaclBox::overhead + text.size());
    const MutableBytes all = whole;
    std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
    context.entropy().fill(all.first(NaclBox::nonce_size));
    crypto::box_seal(constant, all.first<NaclBox::nonce_size>(), all.subspan(NaclBox::overhead),
                     all.subspan<NaclBox::nonce_size, NaclBox::tag_size>());
    worst.add(point.substr(0, 4),
              is_refused(context.ask(post(context, "/machine/" + std::string(point), whole))));
  }
  return worst.outcome();
}

Outcome bad_boxes(Context& context) {
  OldMachine machine(context);
  Worst worst("boxes that don't open");
  const auto add = [&](std::string_view what, Bytes body) {
    worst.add(what, is_refused(context.ask(post(context, machine.path(), body))));
  };
  auto box = machine.seal(context, machine.registration(context));
  add("empty", {});
  add("39 bytes", Bytes(box).first(39));
  box.back() ^= 1;
  add("a bit flipped", box);
  box.back() ^= 1;
  OldMachine other(context);
  add("another machine's", other.seal(context, other.registration(context)));
  add("no JSON", machine.seal(context, "{\"Version\":"));
  return worst.outcome();
}

Outcome too_long(Context& context) {
  OldMachine machine(context);
  RawConnection connection = context.connect();
  const std::vector<std::uint8_t> part(64 << 10, 'x');
  connection.send("POST " + machine.path() + " HTTP/1.1\r\nHost: " + context.host() +
                  "\r\nContent-Length: 10485760\r\n\r\n");
  // As long as the server does not refuse.
  for (int i = 0; i < 32 && connection.input().empty(); ++i) {
    if (!connection.send(part)) break;
    (void)connection.read_until([](Bytes in) { return !in.empty(); }, std::chrono::milliseconds(1));
  }
  const HttpAnswer answer = read_answer(connection);
  const std::string sent = "2 MiB of a box of 10 MiB";
  if (answer.status == 413) return kept(sent, answer.told());
  if (answer.refused() || connection.ended())
    return differs(sent, answer.told() + ", connection " + connection.state());
  return broken(sent, answer.told() + ", connection " + connection.state());
}

Outcome replayed(Context& context) {
  OldMachine machine(context);
  const std::string request =
      post(context, machine.path(), machine.seal(context, machine.registration(context)));
  const auto first = context.ask(request), second = context.ask(request);
  (void)context.ask(
      post(context, machine.path(), machine.seal(context, machine.registration(context, true))));
  const std::string sent = "one registration twice, byte for byte";
  if (first.answer.status != 200) return not_applicable(sent, first.answer.told());
  const auto one = machine.open(first.answer.body), two = machine.open(second.answer.body);
  return kept_if(one && two, sent, "status " + std::to_string(second.answer.status));
}

constexpr std::array checks{
    Check{"ts2019.register", "BOX-5", Level::must, needs::legacy,
          "a registration in a box is answered in one", "clients up to 1.22 have no other protocol",
          registers},
    Check{"ts2019.nonce", "BOX-2", Level::must, needs::legacy, "each box has a nonce of its own",
          "two texts under one nonce tell their difference", fresh_nonces},
    Check{"ts2019.map", "BOX-5", Level::must, needs::legacy,
          "a map is a size, then a box, with the compression inside", "clients up to 1.62 read nothing else",
          maps},
    Check{"ts2019.paths", "KEY-5", Level::must, needs::legacy, "a path that names no machine is refused",
          "a zero key stands for everybody", bad_paths},
    Check{"ts2019.low-order", "BOX-3", Level::must, needs::legacy, "a machine key of low order is refused",
          "anybody can make boxes of such a machine", low_order},
    Check{"ts2019.boxes", "BOX-1", Level::must, needs::legacy, "a box that does not open is refused",
          "its machine has not said it", bad_boxes},
    Check{"ts2019.long", "BOX-1", Level::must, needs::legacy | needs::hostile,
          "a body above a megabyte is not read", "it costs memory before anybody is known", too_long},
    Check{"ts2019.replay", "BOX-4", Level::must, needs::legacy, "a box that comes twice is no harm",
          "clients repeat, and so does who has recorded them", replayed},
};

}  // namespace

std::span<const Check> ts2019_checks() { return checks; }

}  // namespace ts2021::app::conformance
