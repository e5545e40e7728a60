// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/entry/websocket.h"

#include <wslay/wslay.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace ts2021::entry {
namespace {

constexpr std::size_t max_control = 125;    // payload of a control frame (RFC 6455, 5.5)
constexpr std::size_t max_frame_head = 14;  // two bytes, length of eight, mask of four
// A payload buffer that is empty keeps at most this much.
constexpr std::size_t kept_capacity = 8 << 10;

enum CloseCode : std::uint16_t {
  close_normal = 1000,
  close_going_away = 1001,
  close_protocol = 1002,
  close_unsupported = 1003,
  close_no_status = 1005,
  close_too_big = 1009,
};

// Codes that may stand in a close frame (RFC 6455, 7.4).
constexpr bool may_be_sent(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) ||
         (code >= 3000 && code <= 4999);
}

// Payload of one control frame.
struct Control {
  std::array<std::uint8_t, max_control> bytes{};
  std::size_t size = 0;
  [[nodiscard]] Bytes view() const noexcept { return Bytes(bytes).first(size); }
};

}  // namespace

struct WebSocket::Impl {
  Impl(Role given, Entropy& source) : role(given), entropy(&source) {
    constexpr wslay_frame_callbacks calls{send, receive, mask};
    if (wslay_frame_context_init(&frames, &calls, this) != 0) std::abort();  // out of memory, as operator new
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { wslay_frame_context_free(frames); }

  Role role;
  Entropy* entropy;
  wslay_frame_context_ptr frames = nullptr;

  // In.
  Bytes input;                   // what is left of the bytes being fed
  std::uint64_t frame_seen = 0;  // payload bytes of the current frame
  bool in_frame = false, in_message = false;
  std::uint64_t message_size = 0;         // of the frames so far
  Control control;                        // payload of the current control frame
  std::vector<std::uint8_t> plain, lent;  // payload to hand out; the part handed out last
  std::optional<Error> error;
  bool peer_closed = false;

  // Out.
  MutableBytes target;  // where send() writes
  std::optional<Control> pong, close;
  bool close_queued = false, close_sent = false;

  static ssize_t receive(std::uint8_t* buffer, std::size_t size, int, void* self);
  static ssize_t send(const std::uint8_t* data, std::size_t size, int, void* self);
  static int mask(std::uint8_t* buffer, std::size_t size, void* self);

  [[nodiscard]] Result<void> begin_frame(const wslay_frame_iocb& frame);
  [[nodiscard]] Result<void> end_frame(const wslay_frame_iocb& frame);
  [[nodiscard]] Result<void> end_close();
  [[nodiscard]] Error refuse(Error why, std::uint16_t code);
  void queue_close(std::uint16_t code, std::string_view reason);
  [[nodiscard]] std::size_t write_frame(std::uint8_t opcode, Bytes payload, MutableBytes to);
  [[nodiscard]] bool append_frame(std::uint8_t opcode, Bytes payload, ByteQueue& out);
};

ssize_t WebSocket::Impl::receive(std::uint8_t* buffer, std::size_t size, int, void* self) {
  Bytes& input = static_cast<Impl*>(self)->input;
  if (input.empty() || size == 0) return -1;
  const std::size_t n = std::min(size, input.size());
  std::memcpy(buffer, input.data(), n);
  input = input.subspan(n);
  return static_cast<ssize_t>(n);
}

ssize_t WebSocket::Impl::send(const std::uint8_t* data, std::size_t size, int, void* self) {
  MutableBytes& target = static_cast<Impl*>(self)->target;
  if (size > target.size()) return -1;
  std::memcpy(target.data(), data, size);
  target = target.subspan(size);
  return static_cast<ssize_t>(size);
}

int WebSocket::Impl::mask(std::uint8_t* buffer, std::size_t size, void* self) {
  static_cast<Impl*>(self)->entropy->fill({buffer, size});
  return 0;
}

Error WebSocket::Impl::refuse(Error why, std::uint16_t code) {
  error = why;
  queue_close(code, {});
  return why;
}

void WebSocket::Impl::queue_close(std::uint16_t code, std::string_view reason) {
  if (std::exchange(close_queued, true)) return;
  close.emplace();
  store_u16be(close->bytes, code);
  const std::size_t n = std::min(reason.size(), max_control - 2);
  if (n != 0) std::memcpy(close->bytes.data() + 2, reason.data(), n);
  close->size = 2 + n;
}

// What the header alone decides. wslay has checked lengths and that control frames are whole.
Result<void> WebSocket::Impl::begin_frame(const wslay_frame_iocb& frame) {
  in_frame = true;
  frame_seen = 0;
  // ENT-16
  const bool must_mask = role == Role::server;
  if ((frame.mask != 0) != must_mask) return refuse(fail(Errc::bad_websocket_frame, 360), close_protocol);
  if (frame.rsv != 0) return refuse(fail(Errc::bad_websocket_frame, 361), close_protocol);
  switch (frame.opcode) {
    case WSLAY_CONTINUATION_FRAME:
      if (!in_message) return refuse(fail(Errc::bad_websocket_frame, 362), close_protocol);
      break;
    case WSLAY_TEXT_FRAME:
      if (in_message) return refuse(fail(Errc::bad_websocket_frame, 363), close_protocol);
      return refuse(fail(Errc::bad_websocket_frame, 364), close_unsupported);  // ENT-15
    case WSLAY_BINARY_FRAME:
      if (in_message) return refuse(fail(Errc::bad_websocket_frame, 365), close_protocol);
      in_message = true;
      message_size = 0;
      break;
    case WSLAY_CONNECTION_CLOSE:
    case WSLAY_PING:
    case WSLAY_PONG:
      control.size = 0;
      return {};
    default:
      return refuse(fail(Errc::bad_websocket_frame, 366), close_protocol);
  }
  if (frame.payload_length > max_websocket_message - message_size)  // ENT-15
    return refuse(fail(Errc::limit_exceeded, 367), close_too_big);
  message_size += frame.payload_length;
  return {};
}

Result<void> WebSocket::Impl::end_frame(const wslay_frame_iocb& frame) {
  in_frame = false;
  switch (frame.opcode) {
    case WSLAY_PING:  // ENT-17: only the newest needs an answer, so a flood takes no memory
      pong = control;
      return {};
    case WSLAY_PONG:
      return {};
    case WSLAY_CONNECTION_CLOSE:
      return end_close();
    default:
      if (frame.fin != 0) in_message = false;
      return {};
  }
}

// ENT-17
Result<void> WebSocket::Impl::end_close() {
  if (control.size == 1) return refuse(fail(Errc::bad_websocket_frame, 368), close_protocol);
  const std::uint16_t code = control.size == 0 ? std::uint16_t{close_no_status} : load_u16be(control.view());
  if (control.size != 0 && !may_be_sent(code))
    return refuse(fail(Errc::bad_websocket_frame, 369), close_protocol);
  peer_closed = true;
  queue_close(control.size == 0 ? std::uint16_t{close_normal} : code, {});
  if (code == close_normal || code == close_going_away) return {};
  error = fail(Errc::end_of_stream, 370, code);
  return *error;
}

// Writes one frame and returns its size. Precondition: `to` has room for the head and the payload.
std::size_t WebSocket::Impl::write_frame(std::uint8_t opcode, Bytes payload, MutableBytes to) {
  wslay_frame_iocb frame{};
  frame.fin = 1;
  frame.opcode = opcode;
  frame.mask = role == Role::client ? 1 : 0;
  frame.payload_length = payload.size();
  frame.data = payload.data();
  frame.data_length = payload.size();
  target = to;
  if (wslay_frame_send(frames, &frame) < 0) std::abort();  // it writes to memory that has room
  return to.size() - std::exchange(target, {}).size();
}

bool WebSocket::Impl::append_frame(std::uint8_t opcode, Bytes payload, ByteQueue& out) {
  const std::size_t most = payload.size() + max_frame_head;
  if (most <= block_size) {
    const MutableBytes room = out.prepare(most);
    if (room.empty()) return false;
    out.commit(write_frame(opcode, payload, room));
    return true;
  }
  std::vector<std::uint8_t> frame(most);
  if (out.room() < most) return false;
  frame.resize(write_frame(opcode, payload, frame));
  return out.append(frame);
}

WebSocket::WebSocket(Role role, Entropy& entropy) : impl_(std::make_unique<Impl>(role, entropy)) {}
WebSocket::~WebSocket() = default;
WebSocket::WebSocket(WebSocket&&) noexcept = default;

Result<void> WebSocket::feed(Bytes in) {
  Impl& my = *impl_;
  if (my.error) return *my.error;
  if (my.peer_closed) return {};
  my.input = in;
  while (!my.peer_closed) {
    wslay_frame_iocb frame{};
    const ssize_t got = wslay_frame_recv(my.frames, &frame);
    if (got == WSLAY_ERR_WANT_READ) {
      if (my.input.empty()) break;
      continue;
    }
    if (got < 0) {
      my.input = {};
      return my.refuse(fail(Errc::bad_websocket_frame, 371), close_protocol);  // ENT-16
    }
    Result<void> result;
    if (!my.in_frame) result = my.begin_frame(frame);
    if (result) {
      const Bytes part(frame.data, frame.data_length);
      my.frame_seen += part.size();
      if (wslay_is_ctrl_frame(frame.opcode) != 0) {
        std::copy(part.begin(), part.end(),
                  my.control.bytes.begin() + static_cast<std::ptrdiff_t>(my.control.size));
        my.control.size += part.size();
      } else {
        my.plain.insert(my.plain.end(), part.begin(), part.end());
      }
      if (my.frame_seen == frame.payload_length) result = my.end_frame(frame);
    }
    if (!result) {
      my.input = {};
      return result;
    }
  }
  my.input = {};
  return {};
}

MutableBytes WebSocket::next() {
  Impl& my = *impl_;
  my.lent.clear();
  if (my.lent.capacity() > kept_capacity) my.lent = {};
  std::swap(my.lent, my.plain);
  return my.lent;
}

bool WebSocket::append(Bytes payload, ByteQueue& out) {
  if (impl_->close_queued) return true;
  if (payload.size() > max_websocket_message) return false;
  return impl_->append_frame(WSLAY_BINARY_FRAME, payload, out);
}

void WebSocket::fill(ByteQueue& out) {
  Impl& my = *impl_;
  if (my.pong && !my.close_sent) {
    if (!my.append_frame(WSLAY_PONG, my.pong->view(), out)) return;
    my.pong.reset();
  }
  if (my.close && my.append_frame(WSLAY_CONNECTION_CLOSE, my.close->view(), out)) {
    my.close.reset();
    my.close_sent = true;
  }
}

void WebSocket::close(std::uint16_t code, std::string_view fixed_reason) {
  impl_->queue_close(code, fixed_reason);
}

bool WebSocket::peer_closed() const noexcept { return impl_->peer_closed; }
bool WebSocket::close_pending() const noexcept { return impl_->close.has_value(); }

}  // namespace ts2021::entry
