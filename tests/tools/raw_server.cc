// SPDX-License-Identifier: BSD-3-Clause
// A control server for hostile tests: raw_server REGISTER MAP TIMES, of which the first is the JSON that
// registers are answered with, the second the bytes that answer map requests (or "zstd:FILE": JSON that is
// packed and framed here), sent so many times and then ended. Serves TS2021 until it is killed.
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/socket.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/server_key.h"
#include "ts2021/net/session.h"
#include "ts2021/replay/peer.h"

using namespace ts2021;
using namespace ts2021::app;

namespace {

constexpr Route routes[] = {{RouteId{0}, Site::outer, Method::get, "/key", 0},
                            {RouteId{1}, Site::noise, Method::post, "/machine/register", 1 << 20},
                            {RouteId{2}, Site::noise, Method::post, "/machine/map", 1 << 20}};

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(path + ": can't be read");
  return {std::istreambuf_iterator<char>(in), {}};
}

SharedPieces map_bytes(const std::string& what) {
  if (!what.starts_with("zstd:"))
    return std::make_shared<const std::vector<SharedBytes>>(1, share(read_file(what)));
  ZstdCompressor compressor(19);
  auto packed = map_message(as_bytes(read_file(what.substr(5))), Compression::zstd, &compressor);
  if (!packed) throw std::runtime_error("can't be packed");
  return *std::move(packed);
}

class RawServer {
 public:
  RawServer(std::string registered, SharedPieces map, int times)
      : registered_(std::move(registered)),
        map_(std::move(map)),
        times_(times),
        key_(ControlNoisePair::generate(entropy_)) {
    config_.noise_keys = std::span(&key_, 1);
    config_.routes = routes;
  }

  void run() {
    const Fd listener = listen_on({"127.0.0.1", 0});
    std::printf("http://%s\n", local_endpoint(listener).text().c_str());
    std::fflush(stdout);
    while (true) {
      peers_.remove_if([this](ReplayPeer& peer) {
        return !peer.flush([this](ReplayPeer& p, const ServerEvent& event) { on(p, event); });
      });
      std::vector<pollfd> waiting{{listener.get(), POLLIN, 0}};
      for (const ReplayPeer& peer : peers_) waiting.push_back(peer.interest());
      poll(waiting.data(), waiting.size(), 100);
      std::size_t i = 1;
      for (ReplayPeer& peer : peers_) peer.on_ready(waiting[i++].revents);
      Peer from;
      if (Fd socket = accept_from(listener, from))
        peers_.emplace_back(std::move(socket), config_, Env{entropy_, blocks_, cipher_});
    }
  }

 private:
  void on(ReplayPeer& peer, const ServerEvent& event) {
    if (std::holds_alternative<event::PeerKnown>(event)) {
      (void)peer.connection().accept({}, now());
      return;
    }
    const auto* const request = std::get_if<event::Request>(&event);
    if (!request) return;
    const StreamId stream = request->stream;
    const auto route = static_cast<int>(request->route);
    peer.connection().release(stream);
    if (route == 2) {
      if (!peer.connection().start_stream(stream, {})) return;
      ReplayStream messages;
      for (int i = 0; i < times_; ++i) messages.messages.push_back({now().mono, map_});
      peer.stream(stream, std::move(messages));
      return;
    }
    ServerKey keys;
    keys.public_key = key_.open;
    (void)peer.connection().respond(stream, {200, "application/json", {}},
                                    share(route == 0 ? encoded(keys) : registered_));
  }

  const std::string registered_;
  const SharedPieces map_;
  const int times_;
  SystemEntropy entropy_;
  BlockPool blocks_{4096};
  CipherScratch cipher_;
  const ControlNoisePair key_;
  ServerConfig config_;
  std::list<ReplayPeer> peers_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 64;
  try {
    RawServer(read_file(argv[1]), map_bytes(argv[2]), std::atoi(argv[3])).run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 1;
}
