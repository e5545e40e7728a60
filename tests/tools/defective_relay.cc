// SPDX-License-Identifier: BSD-3-Clause
// A control server with a defect of choice: it ends the Noise of its clients, and speaks to a good server as
// machines of its own. For tests of what grades servers; a thread per direction, ended by a signal.
//   defective_relay BACKEND_URL [--defect NAME]... [--head FROM=TO]... [--up FROM=TO]... [--down FROM=TO]...
//                               [--close-on TEXT] [--deaf-on TEXT]
// FROM and TO are of one length; \xHH stands for a byte. It prints its URL.
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "common/clock.h"
#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "entry/base64.h"
#include "noise/nonce.h"
#include "noise/symmetric_state.h"
#include "noise/wire.h"
#include "ts2021/conformance/noise_peer.h"
#include "ts2021/net/dial.h"
#include "ts2021/net/fetch_key.h"

namespace ts2021::app {
namespace {

using namespace std::chrono_literals;
using conformance::Initiation;
using conformance::RawConnection;
using conformance::RecordKeys;
using conformance::RecordStream;
using Substitution = std::pair<std::string, std::string>;

struct Settings {
  ControlUrl backend;
  std::set<std::string> defects;
  std::vector<Substitution> head, up, down;
  std::string close_on, deaf_on;
  ControlNoisePublic backend_key;
  ControlBoxPublic backend_box_key;
  MachineKeyPair own;
  [[nodiscard]] bool has(const char* defect) const { return defects.contains(defect); }
};

std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\\x") && i + 4 <= text.size()) {
      out += static_cast<char>(std::stoi(std::string(text.substr(i + 2, 2)), nullptr, 16));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

void substitute(std::vector<std::uint8_t>& bytes, const std::vector<Substitution>& substitutions) {
  for (const auto& [from, to] : substitutions)
    for (auto at = bytes.begin();;) {
      at = std::search(at, bytes.end(), from.begin(), from.end(),
                       [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
      if (at == bytes.end()) break;
      at = std::copy(to.begin(), to.end(), at);
    }
}

bool contains(Bytes bytes, std::string_view text) {
  return !text.empty() && as_text(bytes).find(text) != std::string_view::npos;
}

constexpr conformance::Patience forever{24h, 24h};
std::mutex machines;
std::map<std::array<std::uint8_t, 32>, int> newest;  // connection of each machine, for one-per-machine

bool send_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const IoResult sent = write_some(fd, std::span(&bytes, 1));
    if (sent.what == Io::some)
      bytes = bytes.subspan(sent.count);
    else if (sent.what == Io::blocked)
      std::this_thread::sleep_for(1ms);
    else
      return false;
  }
  return true;
}

// The server's side of the handshake, which may look away.
struct Accepted {
  std::array<std::uint8_t, 51> response{};
  RecordKeys keys{};
  std::array<std::uint8_t, 32> peer{};
  ProtocolVersion version{};
};
std::optional<Accepted> accept(const Settings& settings, Bytes initiation) {
  namespace one = noise::wire::message1;
  namespace two = noise::wire::message2;
  std::array<std::uint8_t, one::size> message{};
  std::copy_n(initiation.begin(), std::min(initiation.size(), message.size()), message.begin());
  const std::span<std::uint8_t, one::size> in = message;
  Accepted accepted;
  accepted.version = static_cast<ProtocolVersion>(load_u16be(in));
  const auto assumed = settings.has("old-prologue") && accepted.version > ProtocolVersion{148}
                           ? ProtocolVersion{148}
                           : accepted.version;
  noise::SymmetricState state(settings.has("no-prologue") ? ProtocolVersion{148} : assumed,
                              settings.own.open.bytes());
  const auto mix = [&](const MachinePrivate& secret, std::span<const std::uint8_t, 32> point) {
    static constexpr std::array<std::uint8_t, 32> zero{};
    if (state.mix_key(secret.reveal_bytes(), point)) return true;
    state.mix_shared(zero);
    return settings.has("no-zero-check");
  };
  const auto ephemeral = in.subspan<one::ephemeral, 32>();
  state.mix_hash(ephemeral);
  if (!mix(settings.own.secret, ephemeral)) return std::nullopt;
  const bool lax = settings.has("no-tags");
  if (!state.open(in.subspan<one::machine, one::machine_size>()) && !lax) return std::nullopt;
  std::copy_n(in.begin() + one::machine, 32, accepted.peer.begin());
  if ((accepted.peer[31] & 0x80) != 0 && !settings.has("any-spelling")) return std::nullopt;
  if (!mix(settings.own.secret, in.subspan<one::machine, 32>())) return std::nullopt;
  if (!state.open(in.subspan<one::tag>()) && !lax) return std::nullopt;
  SystemEntropy entropy;
  const auto mine = settings.has("same-ephemeral")
                        ? MachineKeyPair::from(MachinePrivate::from_bytes(settings.own.secret.reveal_bytes()))
                        : MachineKeyPair::generate(entropy);
  const std::span<std::uint8_t, two::size> out = accepted.response;
  out[0] = noise::wire::response;
  store_u16be(out.subspan<two::length>(), two::size - noise::wire::header_size);
  std::ranges::copy(mine.open.bytes(), out.begin() + two::ephemeral);
  state.mix_hash(out.subspan<two::ephemeral, 32>());
  if (!mix(mine.secret, ephemeral)) return std::nullopt;
  if (!mix(mine.secret, std::span<const std::uint8_t, 32>(accepted.peer))) return std::nullopt;
  state.seal(out.subspan<two::tag>());
  if (settings.has("bad-response")) out[40] ^= 1;
  state.split(accepted.keys.up, accepted.keys.down);
  return accepted;
}

std::array<std::uint8_t, 12> nonce(const Settings& settings, std::uint64_t counter) {
  auto nonce = noise::nonce_of(counter);
  if (settings.has("little-endian")) std::reverse(nonce.begin() + 4, nonce.end());
  return nonce;
}

class Inside {
 public:
  Inside(const Settings& settings, int client, RecordStream& server, Accepted accepted)
      : settings_(settings), client_(client), server_(server), accepted_(std::move(accepted)) {}

  // Client to server. False: the connection is to be closed.
  void up(std::vector<std::uint8_t> rest) {
    std::uint64_t counter = 0;
    std::vector<std::uint8_t> scratch(16 << 10);
    while (true) {
      while (rest.size() >= 3) {
        const std::size_t length = load_u16be(Bytes(rest).subspan(1));
        const bool any_length = settings_.has("any-length");
        if (rest[0] != 4 && !settings_.has("any-type")) return;
        if ((length > 4093 || length < 16) && !any_length) return;
        if (length < 16) {
          rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(3 + length));
          continue;
        }
        if (rest.size() < 3 + length) break;
        std::vector<std::uint8_t> body(rest.begin() + 3,
                                       rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
        rest.erase(rest.begin(), rest.begin() + 3 + static_cast<std::ptrdiff_t>(length));
        crypto::Aead cipher;
        cipher.set_key(accepted_.keys.up);
        const MutableBytes text = MutableBytes(body).first(body.size() - 16);
        if (!cipher.open(nonce(settings_, counter), text, MutableBytes(body).last<16>())) {
          if (settings_.has("no-tags")) continue;
          return;
        }
        ++counter;
        body.resize(text.size());
        if (!take(body)) return;
      }
      if (!rest.empty() && settings_.has("no-cut")) return;
      const IoResult got = read_some(client_, scratch);
      if (got.what == Io::blocked) {
        std::this_thread::sleep_for(1ms);
        continue;
      }
      if (got.what != Io::some) {
        if (settings_.has("no-end")) std::this_thread::sleep_for(1h);
        return;
      }
      rest.insert(rest.end(), scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(got.count));
    }
  }

  // Server to client.
  void down() {
    const Instant begun = now().mono;
    if (settings_.has("waits-for-client"))
      while (!heard_ && !closed_) std::this_thread::sleep_for(1ms);
    if (settings_.has("early-always") && accepted_.version < ProtocolVersion{49})
      seal(as_bytes(std::string("\xff\xff\xffTS\0\0\0\2{}", 11)));
    while (server_.read_at_least(1, 24h)) {
      std::vector<std::uint8_t> text = server_.take(server_.input().size());
      if (settings_.has("quiet") && now().mono - begun > 5s) continue;
      substitute(text, settings_.down);
      if (settings_.has("same-challenge")) {
        const auto at = as_text(text).find("chalpub:");
        if (at != std::string_view::npos)
          std::fill_n(text.begin() + static_cast<std::ptrdiff_t>(at) + 8, 64, '7');
      }
      if (settings_.has("splits-frames") && text.size() > 1) {
        // A record that is too large for clients.
        text.resize(std::max<std::size_t>(text.size(), 5'000));
      }
      if (!seal(text)) return;
      if (settings_.has("tires") && sent_ > 10) return;
    }
  }

  void close() {
    closed_ = true;
    ::shutdown(client_, SHUT_RDWR);
  }

 private:
  bool take(std::vector<std::uint8_t>& text) {
    if (text.empty()) return !settings_.has("no-empty");
    if (text.size() == 1 && settings_.has("no-small")) return false;
    const bool first = !heard_.exchange(true);
    if (first && settings_.has("http1") && contains(text, "GET /"))
      return seal(as_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")), false;
    deaf_ = deaf_ || contains(text, settings_.deaf_on);
    if (deaf_) return true;
    if (contains(text, settings_.close_on)) return false;
    substitute(text, settings_.up);
    return server_.send(text);
  }

  bool seal(Bytes text) {
    const std::lock_guard lock(sending_);
    const std::size_t largest = settings_.has("splits-frames") ? 60'000 : 4'077;
    while (!text.empty()) {
      const std::size_t size = std::min(text.size(), largest);
      std::vector<std::uint8_t> record(3 + size + 16);
      record[0] = 4;
      store_u16be(MutableBytes(record).subspan(1), static_cast<std::uint16_t>(size + 16));
      std::copy_n(text.begin(), size, record.begin() + 3);
      crypto::Aead cipher;
      cipher.set_key(accepted_.keys.down);
      const MutableBytes body = MutableBytes(record).subspan(3);
      cipher.seal(nonce(settings_, sent_++), body.first(size), body.last<16>());
      if (!send_all(client_, record)) return false;
      text = text.subspan(size);
    }
    return true;
  }

  const Settings& settings_;
  int client_;
  RecordStream& server_;
  Accepted accepted_;
  std::mutex sending_;
  std::atomic<bool> heard_ = false, closed_ = false;
  bool deaf_ = false;
  std::uint64_t sent_ = 0;
};

void serve_noise(const Settings& settings, const Fd& client, Bytes initiation,
                 std::vector<std::uint8_t> rest) {
  constexpr std::string_view switching =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: "
      "tailscale-control-protocol\r\n\r\n";
  std::vector<std::uint8_t> head(switching.begin(), switching.end());
  substitute(head, settings.head);
  auto accepted = accept(settings, initiation);
  if (!accepted) {
    (void)send_all(client.get(), head);
    if (settings.has("never-closes")) std::this_thread::sleep_for(1h);
    return;
  }
  head.insert(head.end(), accepted->response.begin(), accepted->response.end());
  if (settings.has("one-per-machine")) {
    const std::lock_guard lock(machines);
    const auto [at, fresh] = newest.try_emplace(accepted->peer, client.get());
    if (!fresh) ::shutdown(std::exchange(at->second, client.get()), SHUT_RDWR);
  }
  std::array<std::uint8_t, 32> secret{};
  if (settings.has("one-machine"))
    secret.fill(7);
  else
    crypto::blake2s(secret, {accepted->peer, as_bytes("relay")});
  const auto machine = MachineKeyPair::from(MachinePrivate::from_bytes(secret));
  SystemEntropy entropy;
  Initiation onward(entropy, machine, settings.backend_key, accepted->version);
  conformance::Traffic traffic;
  RawConnection connection(dial(settings.backend, {}), forever, traffic);
  connection.send(
      "POST /ts2021 HTTP/1.1\r\nHost: relay\r\nConnection: upgrade\r\nUpgrade: "
      "tailscale-control-protocol\r\nX-Tailscale-Handshake: " +
      entry::base64_encode(onward.message) + "\r\n\r\n");
  if (conformance::read_answer(connection).status != 101 || !connection.read_at_least(51)) return;
  const auto keys = onward.finish(connection.take(51));
  if (!keys || !send_all(client.get(), head)) return;
  RecordStream server(std::move(connection), *keys);
  Inside inside(settings, client.get(), server, *std::move(accepted));
  std::thread down([&] {
    try {
      inside.down();
    } catch (const std::exception&) {
    }
    if (settings.has("never-closes")) return;
    inside.close();
  });
  inside.up(std::move(rest));
  if (settings.has("never-closes")) std::this_thread::sleep_for(1h);
  inside.close();
  server.connection().end_sending();
  down.join();
}

void serve_plain(const Settings& settings, const Fd& client, std::vector<std::uint8_t> first) {
  ByteStream server = dial(settings.backend, {});
  const int onward = server.fd();
  std::thread up([&, first = std::move(first)]() mutable {
    std::vector<std::uint8_t> scratch(16 << 10);
    substitute(first, settings.up);
    bool good = send_all(onward, first);
    while (good) {
      const IoResult got = read_some(client.get(), scratch);
      if (got.what == Io::blocked)
        std::this_thread::sleep_for(1ms);
      else if (got.what != Io::some)
        good = false;
      else {
        std::vector<std::uint8_t> bytes(scratch.begin(),
                                        scratch.begin() + static_cast<std::ptrdiff_t>(got.count));
        substitute(bytes, settings.up);
        good = send_all(onward, bytes);
      }
    }
    ::shutdown(onward, SHUT_WR);
  });
  std::vector<Substitution> all = settings.head;
  const std::string zeros = "mkey:" + std::string(64, '0');
  if (settings.has("zero-key")) all.emplace_back(settings.backend_key.text(), zeros);
  if (settings.has("equal-keys"))
    all.emplace_back(settings.backend_box_key.bare_text(), settings.own.open.bare_text());
  if (!settings.has("transparent")) all.emplace_back(settings.backend_key.text(), settings.own.open.text());
  std::vector<std::uint8_t> scratch(16 << 10);
  while (true) {
    const IoResult got = read_some(onward, scratch);
    if (got.what == Io::blocked) {
      std::this_thread::sleep_for(1ms);
      continue;
    }
    if (got.what != Io::some) break;
    std::vector<std::uint8_t> bytes(scratch.begin(),
                                    scratch.begin() + static_cast<std::ptrdiff_t>(got.count));
    substitute(bytes, all);
    const std::size_t head_end = as_text(bytes).find("\r\n\r\n");
    if (settings.has("slow-start") && head_end != std::string_view::npos) {
      const auto rest = bytes.begin() + static_cast<std::ptrdiff_t>(head_end + 4);
      if (!send_all(client.get(), Bytes(bytes.begin(), rest))) break;
      bytes.erase(bytes.begin(), rest);
      std::this_thread::sleep_for(100ms);
    }
    if (!send_all(client.get(), bytes)) break;
  }
  if (settings.has("never-closes")) std::this_thread::sleep_for(1h);
  ::shutdown(client.get(), SHUT_RDWR);
  ::shutdown(onward, SHUT_RDWR);
  up.join();
}

void serve(const Settings& settings, Fd client) try {
  std::vector<std::uint8_t> bytes, scratch(16 << 10);
  std::size_t end = std::string_view::npos;
  while ((end = as_text(bytes).find("\r\n\r\n")) == std::string_view::npos && bytes.size() < (8u << 10)) {
    const IoResult got = read_some(client.get(), scratch);
    if (got.what == Io::blocked)
      std::this_thread::sleep_for(1ms);
    else if (got.what != Io::some)
      break;
    bytes.insert(bytes.end(), scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(got.count));
  }
  const std::string_view head = as_text(bytes).substr(0, end);
  // A good native upgrade is ours; all else goes on as it is.
  constexpr std::string_view field = "andshake: ";
  const std::size_t at = head.find(field);
  const bool native = head.starts_with("POST ") &&
                      head.find("pgrade: tailscale-control-protocol\r\n") != std::string_view::npos &&
                      head.find("HTTP/1.1\r\n") != std::string_view::npos &&
                      head.find("ncoding") == std::string_view::npos &&
                      head.find("Content-Length: 5") == std::string_view::npos && at == head.rfind(field);
  if (native && !settings.has("transparent") && at != std::string_view::npos &&
      end != std::string_view::npos) {
    const std::string_view value = head.substr(at + field.size());
    const auto initiation = entry::base64_decode(value.substr(0, value.find('\r')));
    const bool sound =
        initiation && initiation->size() == 101 && (*initiation)[2] == 1 && (*initiation)[4] == 96;
    if (initiation && (sound || settings.has("any-size"))) {
      std::vector<std::uint8_t> rest(bytes.begin() + static_cast<std::ptrdiff_t>(end + 4), bytes.end());
      return serve_noise(settings, client, *initiation, std::move(rest));
    }
  }
  serve_plain(settings, client, std::move(bytes));
} catch (const std::exception& error) {
  std::fprintf(stderr, "defective_relay: %s\n", error.what());
}

int run(int argc, char** argv) {
  Settings settings;
  settings.backend = parse_url(argv[1]);
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view option = argv[i], value = argv[i + 1];
    const std::size_t middle = value.find('=');
    const auto pair = [&] {
      Substitution made{unescape(value.substr(0, middle)), unescape(value.substr(middle + 1))};
      if (made.first.empty() || made.first.size() != made.second.size())
        throw std::runtime_error("not of one length: " + std::string(value));
      return made;
    };
    if (option == "--defect")
      settings.defects.insert(std::string(value));
    else if (option == "--head")
      settings.head.push_back(pair());
    else if (option == "--up")
      settings.up.push_back(pair());
    else if (option == "--down")
      settings.down.push_back(pair());
    else if (option == "--close-on")
      settings.close_on = unescape(value);
    else if (option == "--deaf-on")
      settings.deaf_on = unescape(value);
    else
      throw std::runtime_error("unknown option " + std::string(option));
  }
  SystemEntropy entropy;
  settings.own = MachineKeyPair::generate(entropy);
  settings.backend_key = fetch_key(settings.backend, {}, newest_capability).public_key;
  settings.backend_box_key = fetch_key(settings.backend, {}, Capability::v1_20).legacy_public_key;
  const Fd listener = listen_on({"127.0.0.1", 0});
  std::printf("http://%s\n", local_endpoint(listener).text().c_str());
  std::fflush(stdout);
  while (true) {
    Peer peer;
    Fd client = accept_from(listener, peer);
    if (!client)
      std::this_thread::sleep_for(1ms);
    else
      std::thread([&settings, client = std::move(client)]() mutable {
        serve(settings, std::move(client));
      }).detach();
  }
}

}  // namespace
}  // namespace ts2021::app

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) return 2;
  try {
    return ts2021::app::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "defective_relay: %s\n", error.what());
    return 1;
  }
}
