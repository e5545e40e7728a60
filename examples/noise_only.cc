// SPDX-License-Identifier: BSD-3-Clause
// Noise alone, over a pair of sockets: one handshake, then records of whatever bytes you like, without
// HTTP/1.1 in front and HTTP/2 inside. It needs nothing of the library but ts2021::noise.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "plumbing.h"
#include "ts2021/noise/handshake.h"
#include "ts2021/noise/record.h"

using namespace ts2021;

namespace {

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::exit(1);
}

void send_all(int socket, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) give_up("the socket is broken");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

void receive_all(int socket, MutableBytes out) {
  if (recv(socket, out.data(), out.size(), MSG_WAITALL) != static_cast<ssize_t>(out.size()))
    give_up("the socket is broken");
}

// One end after the handshake. Belongs to one thread, like all it holds.
class End {
 public:
  End(int socket, noise::Session session)
      : socket_(socket),
        writer_(std::move(session.send), queue_, cipher_),
        reader_(std::move(session.receive), blocks_, cipher_) {}

  void say(const std::string& text) {
    if (!writer_.append(as_bytes(text)) || !writer_.flush()) give_up("nothing more can be sealed");
    std::array<Bytes, 1> piece;
    while (queue_.gather(piece) != 0) {
      send_all(socket_, piece[0]);
      queue_.consume(piece[0].size());
    }
  }

  // The plaintext of one record; a longer text comes in several.
  std::string hear() {
    while (true) {
      const auto record = reader_.next();
      if (!record) give_up("a record was not authentic");
      if (*record) return std::string(as_text(**record));
      // The reader has used up what it was fed, and decrypts the next bytes where they lie.
      const ssize_t n = recv(socket_, bytes_.data(), bytes_.size(), 0);
      if (n <= 0) give_up("the other end has gone");
      reader_.feed(MutableBytes(bytes_).first(static_cast<std::size_t>(n)));
    }
  }

 private:
  int socket_;
  BlockPool blocks_{16};
  CipherScratch cipher_;
  ByteQueue queue_{blocks_, 64 << 10};
  std::array<std::uint8_t, 16384> bytes_;
  noise::RecordWriter writer_;
  noise::RecordReader reader_;
};

}  // namespace

int main() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets) != 0) give_up("no sockets");
  const auto [ours, theirs] = sockets;
  example::Random random;

  // Before: the client knows the server's public key, and each its own pair.
  const MachineKeyPair machine = MachineKeyPair::generate(random);
  std::vector<ControlNoisePair> server_keys;
  server_keys.push_back(ControlNoisePair::generate(random));

  // Message 1: 101 bytes. It says who the client is, encrypted for the server.
  std::array<std::uint8_t, noise::initiation_size> initiation;
  auto initiator = noise::Initiator::start(machine, server_keys[0].open, ProtocolVersion{138},
                                           noise::EphemeralKey::generate(random), initiation);
  if (!initiator) give_up("the server's key is unusable");
  send_all(ours, initiation);

  // The server opens it and answers with message 2: 51 bytes. Who asks is known now and proven by the first
  // record that opens.
  receive_all(theirs, initiation);
  auto responder = noise::Responder::open(server_keys, initiation);
  if (!responder) give_up("not for this server");
  std::printf("server: %s wants in\n", responder->peer().short_text().c_str());
  std::array<std::uint8_t, noise::response_size> response;
  auto server_session = (*std::move(responder)).reply(noise::EphemeralKey::generate(random), response);
  if (!server_session) give_up("no answer to that");
  send_all(theirs, response);

  receive_all(ours, response);
  auto client_session = (*std::move(initiator)).finish(machine, response);
  if (!client_session) give_up("this is not the server");

  // Both have the same two keys, one for each direction.
  End client(ours, *std::move(client_session)), server(theirs, *std::move(server_session));
  client.say("who is there?");
  const std::string question = server.hear();
  std::printf("server: it asks: %s\n", question.c_str());
  server.say("hello, machine");
  const std::string answer = client.hear();
  std::printf("client: it answers: %s\n", answer.c_str());
  close(ours);
  close(theirs);
  return question == "who is there?" && answer == "hello, machine" ? 0 : 1;
}
