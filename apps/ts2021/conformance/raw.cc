// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/conformance/raw.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "common/clock.h"
#include "ts2021/entry/http1.h"

namespace ts2021::app::conformance {

RawConnection::RawConnection(ByteStream stream, const Patience& patience, Traffic& traffic)
    : stream_(std::move(stream)), patience_(patience), traffic_(traffic), scratch_(16 << 10) {}

bool RawConnection::send(Bytes bytes) {
  const Instant until = now().mono + patience_.answer;
  while (!bytes.empty()) {
    const IoResult sent = stream_.write(std::span(&bytes, 1));
    if (sent.what == Io::some) {
      traffic_.sent += sent.count;
      bytes = bytes.subspan(sent.count);
    } else if (sent.what == Io::blocked) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now().mono).count();
      pollfd waiting{stream_.fd(), POLLOUT, 0};
      if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) return false;
    } else {
      return false;
    }
  }
  return true;
}

void RawConnection::end_sending() {
  if (stream_.tls() != nullptr) stream_.tls()->close();
  ::shutdown(stream_.fd(), SHUT_WR);
}

std::vector<std::uint8_t> RawConnection::take(std::size_t count) {
  const auto end = input_.begin() + static_cast<std::ptrdiff_t>(std::min(count, input_.size()));
  std::vector<std::uint8_t> taken(input_.begin(), end);
  input_.erase(input_.begin(), end);
  return taken;
}

bool RawConnection::read_some(Instant until) {
  while (end_ == End::open) {
    const IoResult got = stream_.read(scratch_);
    if (got.what == Io::some) {
      traffic_.received += got.count;
      input_.insert(input_.end(), scratch_.begin(),
                    scratch_.begin() + static_cast<std::ptrdiff_t>(got.count));
      return true;
    }
    if (got.what == Io::ended) end_ = End::closed;
    if (got.what == Io::failed) end_ = End::reset;
    if (got.what != Io::blocked) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now().mono).count();
    pollfd waiting{stream_.fd(), POLLIN, 0};
    if (left <= 0 || poll(&waiting, 1, static_cast<int>(left)) == 0) return false;
  }
  return false;
}

bool RawConnection::read_until(const std::function<bool(Bytes)>& enough, std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  while (!enough(input_))
    if (input_.size() > max_input || !read_some(until)) return false;
  return true;
}

bool RawConnection::read_to_end(std::chrono::milliseconds patience) {
  const Instant until = now().mono + patience;
  std::size_t seen = 0;
  while (read_some(until) && seen <= 16 * max_input) {
    seen += input_.size();
    input_.clear();
  }
  return ended();
}

std::string RawConnection::state() const {
  switch (end_) {
    case End::open:
      return "left open";
    case End::closed:
      return "closed";
    case End::reset:
      return "reset";
  }
  return {};
}

std::string HttpAnswer::header(std::string_view name) const {
  for (const auto& [its_name, value] : headers)
    if (its_name == name) return value;
  return {};
}

std::string HttpAnswer::told() const {
  if (unreadable) return "an answer that is no HTTP";
  if (status == 0) return "no answer";
  std::string_view text = body;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const std::string word = "status " + std::to_string(status);
  return text.empty() ? word : word + " \"" + printable(text, 80) + "\"";
}

HttpAnswer read_answer(RawConnection& connection) {
  HttpAnswer answer;
  entry::Http1Client reader({});
  bool done = false;
  const auto feed = [&](Bytes in) {
    if (!reader.feed(in)) {
      answer.unreadable = answer.status == 0;
      done = true;
    }
    while (const auto event = reader.next_event()) {
      const auto keep = [&](std::span<const Header> headers) {
        for (const Header& header : headers) answer.headers.emplace_back(header.name, header.value);
      };
      if (const auto* head = std::get_if<entry::Http1ResponseHead>(&*event)) {
        answer.status = head->status;
        keep(head->headers);
      } else if (const auto* data = std::get_if<entry::Http1Data>(&*event)) {
        answer.body += as_text(data->bytes);
        if (answer.body.size() > (1u << 20)) done = true;
      } else if (const auto* switched = std::get_if<entry::Http1Switched>(&*event)) {
        answer.status = 101;
        keep(switched->headers);
        done = answer.whole = true;
      } else {
        done = answer.whole = true;
      }
    }
  };
  // A byte of a head at a time, so that what follows a 101 stays where it is.
  std::size_t head_end = 0;
  const auto head_is_whole = [&](Bytes in) {
    head_end = as_text(in).find("\r\n\r\n", head_end);
    if (head_end == std::string_view::npos) {
      head_end = in.size() < 3 ? 0 : in.size() - 3;
      return false;
    }
    head_end += 4;
    return true;
  };
  while (!done) {
    const bool in_head = answer.status == 0;
    const bool more =
        in_head ? connection.read_until(head_is_whole, connection.patience().answer)
                : connection.read_until([](Bytes in) { return !in.empty(); }, connection.patience().answer);
    if (!more) {
      if (in_head) {
        answer.unreadable = !connection.input().empty();
      } else if (connection.ended() && reader.feed_end()) {
        feed({});
      }
      return answer;
    }
    feed(connection.take(in_head ? head_end : connection.input().size()));
    head_end = 0;
  }
  return answer;
}

}  // namespace ts2021::app::conformance
