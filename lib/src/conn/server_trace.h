// SPDX-License-Identifier: BSD-3-Clause
// What a server connection tells its tracer; nothing where there is none.
#pragma once

#include <cstdint>
#include <span>

#include "ts2021/base/shared_bytes.h"
#include "ts2021/conn/event.h"
#include "ts2021/conn/tracer.h"

namespace ts2021::conn {

struct RecordCounts {
  std::uint64_t in = 0, out = 0;
};

class ServerTrace {
 public:
  explicit ServerTrace(Tracer* tracer) noexcept : tracer_(tracer) {}
  explicit operator bool() const noexcept { return tracer_ != nullptr; }

  template <class Event>
  void tell(const Event& event, Now now) const {
    if (tracer_) tracer_->on(event, now);
  }

  // An event that is about to be given out.
  void event(const ServerEvent& event, RecordCounts records, Now now) const {
    if (!tracer_) return;
    if (const auto* request = std::get_if<event::Request>(&event))
      tell(trace::Request{trace::Way::in, request->site, request->stream, text(request->method),
                          request->path, request->query, request->headers, request->body},
           now);
    else if (const auto* unrouted = std::get_if<event::Unrouted>(&event))
      tell(trace::Unrouted{unrouted->site, unrouted->method, unrouted->path}, now);
    else if (const auto* gone = std::get_if<event::StreamGone>(&event))
      tell(trace::Gone{Site::noise, gone->stream, gone->why}, now);
    else if (const auto* closed = std::get_if<event::Closed>(&event))
      tell(trace::Closed{closed->why, records.in, records.out}, now);
  }

  void answer(Site site, StreamId stream, const ResponseHead& head, Now now) const {
    tell(trace::Answer{trace::Way::out, site, stream, head.status, head.content_type, head.more}, now);
  }
  void data(Site site, StreamId stream, std::span<const SharedBytes> pieces, Now now) const {
    if (!tracer_) return;
    for (const SharedBytes& piece : pieces)
      if (piece && !piece->empty()) tell(trace::Data{trace::Way::out, site, stream, *piece}, now);
  }
  void end(Site site, StreamId stream, Now now) const {
    tell(trace::End{trace::Way::out, site, stream}, now);
  }

 private:
  Tracer* tracer_;
};

}  // namespace ts2021::conn
