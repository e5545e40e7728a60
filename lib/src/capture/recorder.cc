// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/recorder.h"

#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_frame.h"
#include "ts2021/msg/map_request.h"

namespace ts2021 {
namespace {

CaptureLayer layer_of(Site site) noexcept {
  return site == Site::outer ? CaptureLayer::http : CaptureLayer::api;
}

void copy(Bytes bytes, CaptureLine& line) { line.body.assign(bytes.begin(), bytes.end()); }

void copy(std::span<const Header> headers, CaptureLine& line) {
  for (const Header& header : headers) line.headers.emplace_back(header.name, header.value);
}

struct LineMaker {
  CaptureLine line;

  void begin(CaptureLayer layer, trace::Way way, std::string_view event, StreamId stream = {}) {
    line.layer = layer;
    line.way = way;
    line.event = event;
    line.stream = static_cast<std::int32_t>(stream);
  }
  void operator()(const trace::Opened&) { begin(CaptureLayer::tcp, trace::Way::in, "open"); }
  void operator()(const trace::Request& request) {
    begin(layer_of(request.site), request.way, "request", request.stream);
    line.method = request.method;
    line.path = request.path;
    if (!request.query.empty()) line.path.append("?").append(request.query);
    copy(request.headers, line);
    copy(request.body, line);
  }
  void operator()(const trace::Unrouted& unrouted) {
    begin(layer_of(unrouted.site), trace::Way::in, "unrouted");
    line.method = unrouted.method;
    line.path = unrouted.path;
  }
  void operator()(const trace::Answer& answer) {
    begin(layer_of(answer.site), answer.way, "answer", answer.stream);
    line.status = answer.status;
    if (!answer.content_type.empty()) line.headers.emplace_back("content-type", answer.content_type);
    copy(answer.headers, line);
  }
  void operator()(const trace::Data& data) {
    begin(layer_of(data.site), data.way, "data", data.stream);
    copy(data.bytes, line);
  }
  void operator()(const trace::End& end) { begin(layer_of(end.site), end.way, "end", end.stream); }
  void operator()(const trace::Gone& gone) {
    begin(gone.site == Site::outer ? CaptureLayer::http : CaptureLayer::h2, trace::Way::in, "gone",
          gone.stream);
    line.why = text(gone.why.code);
  }
  void operator()(const trace::UpgradeSent&) { begin(CaptureLayer::http, trace::Way::out, "upgrade"); }
  void operator()(const trace::UpgradeAnswer& answer) {
    begin(CaptureLayer::http, trace::Way::in, "upgraded");
    line.status = answer.status;
    copy(answer.headers, line);
  }
  void operator()(const trace::Settings& settings) {
    begin(CaptureLayer::h2, trace::Way::in, "settings");
    for (const auto& [number, value] : settings.values)
      line.headers.emplace_back(std::to_string(number), std::to_string(value));
  }
  void operator()(const trace::Handshake& handshake) {
    begin(CaptureLayer::noise, trace::Way::in, "handshake");
    line.machine = handshake.machine.text();
    line.server = handshake.server.text();
    line.version = static_cast<unsigned>(handshake.version);
    line.websocket = handshake.websocket;
  }
  void operator()(const trace::UpgradeRefused& refused) {
    begin(CaptureLayer::http, trace::Way::out, "refused");
    line.status = refused.status;
  }
  void operator()(const trace::EarlyPayload& early) {
    begin(CaptureLayer::early, early.way, "payload");
    copy(early.json, line);
  }
  void operator()(const trace::Unboxed& box) {
    begin(CaptureLayer::api, box.way,
          box.message                 ? "data"
          : box.way == trace::Way::in ? "request"
                                      : "answer",
          box.stream);
    line.boxed = true;
    line.machine = box.machine.text();
    copy(box.bytes, line);
  }
  void operator()(const trace::Closed& closed) {
    begin(CaptureLayer::tcp, trace::Way::in, "close");
    line.why = text(closed.why.code);
    line.records_in = closed.records_in;
    line.records_out = closed.records_out;
  }
};

bool asks_for_map(std::string_view path) noexcept {
  path = path.substr(0, path.find('?'));
  return path.starts_with("/machine/") && path.ends_with("/map");
}

// One request until its answer is complete.
struct Exchange {
  std::string method, path;
  bool boxed = false;                    // on the outer site: what matters stands in lines of its own
  std::optional<CaptureLine> answer;     // that is not complete
  std::optional<MapFrameReader> frames;  // of a map
  bool streams_map = false;
  std::uint64_t frame_size = 0;  // bytes of the message that comes in
};

}  // namespace

CaptureLine capture_line(const TraceEvent& event) {
  LineMaker maker;
  std::visit(maker, event);
  return std::move(maker.line);
}

struct CaptureAssembler::Impl {
  using Place = std::tuple<std::uint64_t, CaptureLayer, std::int32_t>;  // session, site, stream
  std::map<Place, Exchange> exchanges;

  void take(CaptureLine line, std::vector<CaptureLine>& out) {
    if (line.boxed) return take_boxed(std::move(line), out);
    if (line.is(CaptureLayer::tcp, "close")) return close(std::move(line), out);
    if (line.event == "gone") return gone(std::move(line), out);
    const Place place{line.session, line.layer, line.stream};
    if (line.event == "request") {
      exchanges[place] = begun(line);
      return out.push_back(std::move(line));
    }
    const auto at = exchanges.find(place);
    if (at == exchanges.end()) return out.push_back(std::move(line));
    Exchange& exchange = at->second;
    if (line.event == "answer") {
      exchange.streams_map = line.status == 200 && (exchange.frames || exchange.boxed);
      if (exchange.streams_map && exchange.frames)
        out.push_back(std::move(line));
      else
        exchange.answer = std::move(line);
    } else if (line.event == "data") {
      if (!exchange.streams_map)
        hold(exchange, std::move(line), out);
      else if (exchange.frames && !exchange.boxed)
        unpack(exchange, std::move(line), out);
    } else {
      if (exchange.answer)
        tell(exchange, line.at, out);
      else
        out.push_back(std::move(line));
      exchanges.erase(at);
    }
  }

  static Exchange begun(const CaptureLine& request) {
    Exchange exchange;
    exchange.method = request.method;
    exchange.path = request.path;
    if (request.layer == CaptureLayer::api && asks_for_map(request.path)) read_maps(exchange, request.body);
    return exchange;
  }
  static void read_maps(Exchange& exchange, Bytes request) {
    if (const auto asked = decode_copy<MapRequest>(request))
      exchange.frames.emplace(parse_compression(asked->compress));
  }

  // What was in a box belongs to the exchange of the outer site that carried it.
  void take_boxed(CaptureLine line, std::vector<CaptureLine>& out) {
    const auto at = exchanges.find({line.session, CaptureLayer::http, line.stream});
    if (at == exchanges.end()) return out.push_back(std::move(line));
    Exchange& exchange = at->second;
    if (line.event == "request") {
      exchange.boxed = true;
      line.method = exchange.method;
      line.path = exchange.path;
      if (asks_for_map(exchange.path)) read_maps(exchange, line.body);
    } else if (line.event == "answer") {
      line.status = 200;
      exchange.frames.reset();
    } else if (exchange.frames) {
      return unpack(exchange, std::move(line), out);
    }
    out.push_back(std::move(line));
  }

  static void hold(Exchange& exchange, CaptureLine data, std::vector<CaptureLine>& out) {
    if (!exchange.answer) return out.push_back(std::move(data));
    auto& body = exchange.answer->body;
    body.insert(body.end(), data.body.begin(), data.body.end());
    if (body.size() > max_held) {
      out.push_back(*std::exchange(exchange.answer, std::nullopt));
      exchange.frames.reset();
    }
  }

  // The answer is whole now; that of a box is told without it.
  static void tell(Exchange& exchange, std::chrono::microseconds at, std::vector<CaptureLine>& out) {
    exchange.answer->at = at;
    if (exchange.boxed && exchange.answer->status == 200) exchange.answer->body.clear();
    out.push_back(*std::exchange(exchange.answer, std::nullopt));
  }

  static void unpack(Exchange& exchange, CaptureLine data, std::vector<CaptureLine>& out) {
    Bytes rest = data.body;
    while (!rest.empty()) {
      const auto used = exchange.frames->feed(rest);
      if (!used) {  // no map message: as it came, from here on
        exchange.frames.reset();
        exchange.streams_map = false;
        data.why = text(used.error().code);
        data.body.assign(rest.begin(), rest.end());
        return out.push_back(std::move(data));
      }
      exchange.frame_size += *used;
      rest = rest.subspan(*used);
      if (!exchange.frames->ready()) continue;
      CaptureLine message;
      message.at = data.at;
      message.session = data.session;
      message.layer = CaptureLayer::map;
      message.way = data.way;
      message.event = "message";
      message.stream = data.stream;
      message.boxed = data.boxed;
      message.size = std::exchange(exchange.frame_size, 0);
      const Bytes json = exchange.frames->message();
      message.body.assign(json.begin(), json.end());
      out.push_back(std::move(message));
    }
  }

  void gone(CaptureLine line, std::vector<CaptureLine>& out) {
    const auto site = line.layer == CaptureLayer::h2 ? CaptureLayer::api : CaptureLayer::http;
    const auto at = exchanges.find({line.session, site, line.stream});
    if (at != exchanges.end()) {
      if (at->second.answer) tell(at->second, line.at, out);
      exchanges.erase(at);
    }
    out.push_back(std::move(line));
  }

  void close(CaptureLine line, std::vector<CaptureLine>& out) {
    const Place first{line.session, CaptureLayer::capture, 0};
    for (auto at = exchanges.lower_bound(first);
         at != exchanges.end() && std::get<0>(at->first) == line.session; at = exchanges.erase(at))
      if (at->second.answer) tell(at->second, line.at, out);
    out.push_back(std::move(line));
  }
};

CaptureAssembler::CaptureAssembler() : impl_(std::make_unique<Impl>()) {}
CaptureAssembler::~CaptureAssembler() = default;

void CaptureAssembler::take(CaptureLine line, std::vector<CaptureLine>& out) {
  impl_->take(std::move(line), out);
}

}  // namespace ts2021
