// SPDX-License-Identifier: BSD-3-Clause
// A whole control server on one thread with poll(2), which real nodes join: blocking_server tskey-test 8080
// records. The last is a file that keeps the nodes; without it they are forgotten. ts2021d has what is left
// out here: TLS, more threads, limits for strangers, signals.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "control.h"
#include "file_store.h"
#include "plumbing.h"

using namespace ts2021;

namespace {

// A listening socket on the loopback. Port 0 takes a free one and is told which.
int listen_on(std::uint16_t& port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, generic, size) != 0 || listen(fd, 128) != 0 || getsockname(fd, generic, &size) != 0)
    throw std::runtime_error("can't listen");
  port = ntohs(address.sin_port);
  return fd;
}

struct Guest {
  int socket;
  ServerConnection connection;
  bool full = false;  // the socket takes no more: wait until it does
  bool over = false;
};

class Server {
 public:
  Server(std::uint16_t port, const std::string& auth_key, const std::string& file)
      : listener_(listen_on(port)), url_("http://127.0.0.1:" + std::to_string(port)) {
    keys_.push_back(ControlNoisePair::generate(random_));
    config_.noise_keys = keys_;
    config_.routes = ControlService::routes();
    CoordinatorConfig tailnet;
    tailnet.auth_keys.emplace_back().secret = auth_key;
    ServiceConfig answers;
    answers.key.noise = keys_[0].open;
    answers.url = url_;
    store_.emplace(std::make_shared<example::RecordFile>(file));
    coordinator_.emplace(*store_, std::make_shared<AllowAll>(), random_, tailnet);
    service_.emplace(answers, random_);
  }

  [[noreturn]] void run() {
    std::printf("%s\n", url_.c_str());
    std::fflush(stdout);
    coordinator_->start(example::now());
    while (true) {
      settle();
      wait();
    }
  }

 private:
  // Until nothing moves: events of connections go to the service, bytes of connections to their sockets.
  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (auto& [session, guest] : guests_) {
        while (auto event = guest.connection.next_event()) {
          guest.over |= std::holds_alternative<event::Closed>(*event);
          if (!guest.over) service_->handle(session, *event, example::now());
          busy = true;
        }
        if (guest.over || guest.full) continue;
        const auto sent = example::send_output(guest.socket, guest.connection, MSG_DONTWAIT);
        guest.full = sent == example::Sent::full;
        busy |= sent == example::Sent::some;
      }
      busy |= example::settle(*service_, *coordinator_, *store_, example::now());
    }
    std::erase_if(guests_, [&](auto& entry) {
      if (!entry.second.over) return false;
      service_->detach(entry.first);
      close(entry.second.socket);
      return true;
    });
    example::settle(*service_, *coordinator_, *store_, example::now());  // who has gone is told
    coordinator_->handle_timeout(example::now());
  }

  // For input, for room for output, or for the next timeout.
  void wait() {
    std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
    auto wake = example::now().mono + std::chrono::minutes(1);
    wake = std::min(wake, coordinator_->next_timeout().value_or(wake));
    for (auto& [session, guest] : guests_) {
      wake = std::min(wake, guest.connection.next_timeout().value_or(wake));
      const int events = (guest.connection.wants_input() ? POLLIN : 0) | (guest.full ? POLLOUT : 0);
      waiting.push_back({guest.socket, static_cast<short>(events), 0});
    }
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(wake - example::now().mono).count();
    poll(waiting.data(), waiting.size(), std::max(0, static_cast<int>(time)));

    const pollfd* ready = waiting.data() + 1;  // in the order of guests_
    for (auto& [session, guest] : guests_) {
      const int events = ready++->revents;
      if (events & POLLOUT) guest.full = false;
      if (events & (POLLIN | POLLHUP | POLLERR)) example::receive_input(guest.socket, guest.connection);
      guest.connection.handle_timeout(example::now());
    }
    const int socket = waiting[0].revents ? accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC) : -1;
    if (socket < 0) return;
    const SessionId session{++sessions_};
    const auto at = guests_.try_emplace(
        session, Guest{socket, ServerConnection(config_, {random_, blocks_, cipher_}, example::now())});
    service_->attach(session, at.first->second.connection);
  }

  example::Random random_;
  BlockPool blocks_{4096};
  CipherScratch cipher_;
  int listener_;
  std::string url_;
  std::vector<ControlNoisePair> keys_;  // of a server that lives longer than this: in a file, too
  ServerConfig config_;
  std::optional<example::FileStore> store_;
  std::optional<Coordinator> coordinator_;
  std::optional<ControlService> service_;
  std::map<SessionId, Guest> guests_;
  std::uint64_t sessions_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) return std::fprintf(stderr, "usage: %s AUTH-KEY [PORT [FILE]]\n", argv[0]), 64;
  try {
    const auto port = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 0);
    Server(port, argv[1], argc > 3 ? argv[3] : "").run();
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), 1;
  }
}
