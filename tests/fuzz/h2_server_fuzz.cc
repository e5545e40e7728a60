// SPDX-License-Identifier: BSD-3-Clause
// The server's HTTP/2 session against any bytes of a client; input without the preface's first letter gets
// one.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "h2/server_session.h"

using namespace ts2021;
using namespace ts2021::h2;

namespace {

constexpr Route routes[] = {
    {RouteId{1}, Site::noise, Method::post, "/machine/map", 1 << 20},
    {RouteId{2}, Site::noise, Method::post, "/machine/register", 2000},
    {RouteId{3}, Site::noise, Method::get, "/machine/ssh/action/{}/to/{}", 0},
    {RouteId{4}, Site::noise, Method::post, "/machine/update-health", 1 << 20},
};
constexpr std::string_view preface{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33};

void require(bool ok) {
  if (!ok) std::abort();
}

// Takes a few appends per round, always whole frames, and looks at none of their bytes but all of them.
struct Sink {
  std::size_t left = 0;
  std::uint32_t sum = 0;
  static bool take(void* self, std::span<const Bytes> pieces) noexcept {
    Sink& sink = *static_cast<Sink*>(self);
    if (sink.left == 0) return false;
    --sink.left;
    for (const Bytes piece : pieces)
      for (const std::uint8_t byte : piece) sink.sum += byte;
    return true;
  }
};

class Driver {
 public:
  void feed(Bytes bytes) {
    now_.mono += std::chrono::milliseconds{100};
    const auto fed = session_.feed(bytes, now_);
    if (error_) require(!fed && fed.error() == *error_);
    if (!fed) error_ = fed.error();
    while (const auto event = session_.next_event()) handle(*event);
    sink_.left = 1 + bytes.size() % 5;
    const auto drained = session_.drain_to({&sink_, Sink::take});
    if (error_) require(!drained);
    if (!drained) error_ = drained.error();
    require(session_.unreleased_bytes() <= limits_.max_bodies);
    require(session_.open_streams() <= limits_.refuse_above);
  }

  void finish() {
    for (const StreamId stream : held_) {
      (void)session_.respond(stream, {200, "", {}}, body_);
      session_.release(stream);
    }
    session_.drain();
    sink_.left = SIZE_MAX;
    (void)session_.drain_to({&sink_, Sink::take});
    if (error_) require(session_.finished());
  }

 private:
  void handle(const ServerSessionEvent& event) {
    if (const auto* writable = std::get_if<StreamWritable>(&event))
      (void)session_.end_stream(writable->stream);
    const auto* request = std::get_if<Request>(&event);
    if (!request) return;
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < request->body.size() + body_padding; ++i) sum += request->body.data()[i];
    for (const Header& header : request->headers)
      sum += static_cast<std::uint32_t>(header.name.size() + header.value.size());
    const StreamId stream = request->stream;
    switch ((static_cast<std::uint32_t>(stream) / 2 + sum % 2) % 5) {
      case 0:
        require(error_ || session_.respond(stream, {200, "application/json", {}}, body_));
        break;
      case 1: {
        const SharedBytes pieces[] = {body_, body_};
        require(error_ || session_.start_stream(stream, {200, "", {}}));
        (void)session_.push(stream, pieces);
        break;
      }
      case 2:
        session_.reset_stream(stream);
        break;
      case 3:
        held_.push_back(stream);
        return;
      default:
        break;
    }
    session_.release(stream);
  }

  ServerLimits limits_{.max_bodies = 100'000, .stream_window = 50'000, .refuse_above = 20};
  ServerSession session_{routes, limits_};
  Now now_{Instant{std::chrono::seconds{1}}, {}};
  Sink sink_;
  SharedBytes body_ = share(std::vector<std::uint8_t>(5000, 'x'));
  std::vector<StreamId> held_;
  std::optional<Error> error_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Driver driver;
  if (size == 0 || data[0] != 'P') driver.feed(as_bytes(preface));
  Bytes in(data, size);
  while (!in.empty()) {
    const std::size_t n = std::min<std::size_t>(in.size(), 1 + std::size_t{in[0]} * 7);
    driver.feed(in.first(n));
    in = in.subspan(n);
  }
  driver.finish();
  return 0;
}
