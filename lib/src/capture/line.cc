// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/line.h"

#include <array>
#include <utility>

#include "json/reader.h"
#include "json/writer.h"
#include "ts2021/msg/primitives.h"

namespace ts2021 {
namespace {

constexpr std::array<std::string_view, 8> layers = {"capture", "tcp", "http", "noise",
                                                    "early",   "api", "map",  "h2"};

// Seconds with six digits behind the point: a double would lose some in a long capture.
std::string seconds(std::chrono::microseconds at) {
  const auto count = static_cast<std::uint64_t>(at.count() < 0 ? 0 : at.count());
  std::string text = std::to_string(count / 1'000'000) + ".000000";
  std::string part = std::to_string(count % 1'000'000);
  text.replace(text.size() - part.size(), part.size(), part);
  return text;
}

struct LineWriter {
  json::Writer& out;

  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    out.plain_name(name);
    out.string(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    out.plain_name(name);
    out.integer(value);
  }
  void flag(std::string_view name, bool value) {
    if (!value) return;
    out.plain_name(name);
    out.boolean(true);
  }
  void headers(const CaptureLine& line) {
    if (line.headers.empty()) return;
    out.plain_name("headers");
    out.begin_array();
    for (const auto& [name, value] : line.headers) {
      out.begin_array();
      out.string(name);
      out.string(value);
      out.end_array();
    }
    out.end_array();
  }
  void body(Bytes body) {
    if (body.empty()) return;
    if (body[0] == '{' || body[0] == '[') {
      json::Document document;
      if (const auto value = document.parse_copy(body)) {
        out.plain_name("message");
        return json::write(*value, out);
      }
    }
    if (json::valid_utf8(body)) return text("message", as_text(body));
    text("base64", Blob{{body.begin(), body.end()}}.text());
  }
};

struct LineReader {
  CaptureLine line;
  bool has_layer = false;

  // False: the member is known and its value is not what it must be.
  bool member(std::string_view name, const json::Value& value) {
    if (name == "t") return time(value);
    if (name == "layer") return layer(value);
    if (name == "dir") return way(value);
    if (name == "event") return text(value, line.event);
    if (name == "session") return value.get(line.session);
    if (name == "stream") return number(value, line.stream);
    if (name == "status") return number(value, line.status);
    if (name == "version") return number(value, line.version);
    if (name == "method") return text(value, line.method);
    if (name == "path") return text(value, line.path);
    if (name == "peer") return text(value, line.peer);
    if (name == "machine") return text(value, line.machine);
    if (name == "server") return text(value, line.server);
    if (name == "why") return text(value, line.why);
    if (name == "websocket") return value.get(line.websocket);
    if (name == "boxed") return value.get(line.boxed);
    if (name == "size") return value.get(line.size);
    if (name == "records_in") return value.get(line.records_in);
    if (name == "records_out") return value.get(line.records_out);
    if (name == "headers") return headers(value);
    if (name == "message") return message(value);
    if (name == "base64") return bytes(value);
    return true;
  }

 private:
  static bool text(const json::Value& value, std::string& out) {
    std::string_view read;
    if (!value.get(read)) return false;
    out = read;
    return true;
  }
  template <class Number>
  static bool number(const json::Value& value, Number& out) {
    std::int64_t read = 0;
    if (!value.get(read) || !std::in_range<Number>(read)) return false;
    out = static_cast<Number>(read);
    return true;
  }
  bool time(const json::Value& value) {
    double read = 0;
    if (!value.get(read) || !(read >= 0 && read < 1e9)) return false;
    line.at = std::chrono::microseconds(static_cast<std::int64_t>(read * 1e6 + 0.5));
    return true;
  }
  bool layer(const json::Value& value) {
    std::string_view read;
    if (!value.get(read)) return false;
    for (std::size_t i = 0; i < layers.size(); ++i)
      if (layers[i] == read) {
        line.layer = static_cast<CaptureLayer>(i);
        has_layer = true;
      }
    return true;
  }
  bool way(const json::Value& value) {
    std::string_view read;
    if (!value.get(read) || (read != "in" && read != "out")) return false;
    line.way = read == "in" ? trace::Way::in : trace::Way::out;
    return true;
  }
  bool headers(const json::Value& value) {
    if (value.type() != json::Type::array) return false;
    json::ArrayCursor rows(value);
    json::Value row;
    while (rows.next(row)) {
      if (row.type() != json::Type::array) return false;
      json::ArrayCursor cells(row);
      json::Value cell;
      std::string_view name, text;
      if (!cells.next(cell) || !cell.get(name) || !cells.next(cell) || !cell.get(text)) return false;
      line.headers.emplace_back(name, text);
    }
    return true;
  }
  bool message(const json::Value& value) {
    std::string_view read;
    std::string written;
    if (!value.get(read)) read = written = json::written(value);
    line.body.assign(read.begin(), read.end());
    return true;
  }
  bool bytes(const json::Value& value) {
    std::string_view read;
    if (!value.get(read)) return false;
    auto decoded = Blob::parse(read);
    if (!decoded) return false;
    line.body = std::move(decoded->bytes);
    return true;
  }
};

}  // namespace

std::string_view text(CaptureLayer layer) noexcept { return layers[static_cast<std::size_t>(layer)]; }

std::string text(const CaptureLine& line) {
  std::string out;
  out.reserve(256 + line.body.size());
  {
    json::Writer writer(out);
    LineWriter to{writer};
    writer.begin_object();
    writer.plain_name("t");
    writer.raw(seconds(line.at));
    to.number("session", line.session);
    to.text("layer", text(line.layer));
    to.text("dir", line.way == trace::Way::in ? "in" : "out");
    to.text("event", line.event);
    to.flag("boxed", line.boxed);
    to.number("stream", static_cast<std::uint64_t>(line.stream < 0 ? 0 : line.stream));
    to.text("method", line.method);
    to.text("path", line.path);
    to.number("status", static_cast<std::uint64_t>(line.status < 0 ? 0 : line.status));
    to.headers(line);
    to.text("peer", line.peer);
    to.text("machine", line.machine);
    to.text("server", line.server);
    to.number("version", line.version);
    to.flag("websocket", line.websocket);
    to.text("why", line.why);
    to.number("records_in", line.records_in);
    to.number("records_out", line.records_out);
    to.number("size", line.size);
    to.body(line.body);
    writer.end_object();
  }
  out += '\n';
  return out;
}

Result<CaptureLine> parse_capture_line(Bytes text) {
  json::Document document;
  const auto value = document.parse_copy(text);
  if (!value) return value.error();
  if (value->type() != json::Type::object) return fail(Errc::bad_json, 1400);
  LineReader reader;
  json::ObjectCursor members(*value);
  std::string_view name;
  json::Value member;
  while (members.next(name, member))
    if (!reader.member(name, member)) return fail(Errc::bad_json, 1401);
  if (!reader.has_layer || reader.line.event.empty()) return fail(Errc::missing_field, 1402);
  return std::move(reader.line);
}

}  // namespace ts2021
