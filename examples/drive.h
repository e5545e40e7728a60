// SPDX-License-Identifier: BSD-3-Clause
// The loop around one outgoing connection.
#pragma once

#include <poll.h>

#include <variant>

#include "plumbing.h"
#include "ts2021/conn/client_connection.h"

namespace example {

// Until `take`, which is given the connection's events, returns false, or there are no more. `tick` is called
// each second, and oftener.
template <class Take, class Tick>
void drive(int socket, ts2021::ClientConnection& connection, Take take, Tick tick) {
  while (true) {
    while (const auto event = connection.next_event())
      if (!take(*event) || std::holds_alternative<ts2021::event::Closed>(*event)) return;
    if (send_output(socket, connection) == Sent::some) continue;  // events may follow
    pollfd readable{socket, POLLIN, 0};
    if (poll(&readable, 1, 1000) > 0) receive_input(socket, connection);
    connection.handle_timeout(now());
    tick();
  }
}

}  // namespace example
