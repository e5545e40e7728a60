// SPDX-License-Identifier: BSD-3-Clause
#include "admin/fault_script.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "admin/duration.h"

namespace ts2021::admin {
namespace {

using E = FaultEvent;

// In the order of Fault. `members` are in lib/FAULTS.md.
constexpr FaultKind kinds[] = {
    {Fault::tcp_split, "tcp", "split", E::connection, "bytes delay ", 1},
    {Fault::tcp_stall, "tcp", "stall", E::connection, "after delay "},
    {Fault::tcp_half_close, "tcp", "half-close", E::connection, "after "},
    {Fault::tcp_reset, "tcp", "reset", E::connection, "after "},
    {Fault::http_status, "http", "status", E::outer_answer, "path status retryAfter "},
    {Fault::http_redirect, "http", "redirect", E::outer_answer, "path status location "},
    {Fault::http_strip_upgrade, "http", "strip-upgrade", E::outer_answer, ""},
    {Fault::http_wrong_key, "http", "wrong-key", E::outer_answer, ""},
    {Fault::noise_wrong_key, "noise", "wrong-key", E::handshake, ""},
    {Fault::noise_error_record, "noise", "error-record", E::handshake, "text "},
    {Fault::noise_corrupt, "noise", "corrupt", E::record, ""},
    {Fault::noise_truncate, "noise", "truncate", E::record, ""},
    {Fault::noise_reorder, "noise", "reorder", E::record, ""},
    {Fault::early_none, "early", "none", E::handshake, ""},
    {Fault::early_garbage, "early", "garbage", E::handshake, "bytes ", 64},
    {Fault::early_lying_length, "early", "lying-length", E::handshake, "bytes ", 64},
    {Fault::early_oversized, "early", "oversized", E::handshake, "bytes ", 10'485'761},
    {Fault::http2_goaway, "http2", "goaway", E::answer, "code lastStream "},
    {Fault::http2_reset, "http2", "reset", E::answer, "code "},
    {Fault::http2_zero_window, "http2", "zero-window", E::answer, "delay "},
    {Fault::http2_flood, "http2", "flood", E::answer, "frame times "},
    {Fault::map_length_long, "map", "length-long", E::frame, "bytes ", 64},
    {Fault::map_length_short, "map", "length-short", E::frame, "bytes ", 1},
    {Fault::map_length_zero, "map", "length-zero", E::frame, ""},
    {Fault::map_bad_zstd, "map", "bad-zstd", E::frame, ""},
    {Fault::map_truncated_json, "map", "truncated-json", E::frame, ""},
    {Fault::api_delay, "api", "delay", E::map_request, "on delay "},
    {Fault::api_hold, "api", "hold", E::map_request, "on "},
    {Fault::api_drop, "api", "drop", E::map_request, "on "},
    {Fault::api_status, "api", "status", E::map_request, "on status retryAfter "},
    {Fault::api_stale, "api", "stale", E::later_frame, ""},
    {Fault::api_contradiction, "api", "contradiction", E::peer_frame, ""},
    {Fault::api_stall, "api", "stall", E::frame, "delay "},
};

struct OnWord {
  std::string_view word;
  FaultEvent event;
};
constexpr OnWord on_words[] = {{"register", E::register_request},
                               {"map", E::map_request},
                               {"other", E::other_request},
                               {"frame", E::frame}};

bool has_member(const FaultKind& kind, std::string_view name) noexcept {
  for (std::string_view rest = kind.members; !rest.empty();) {
    const std::size_t end = rest.find(' ');
    if (rest.substr(0, end) == name) return true;
    rest.remove_prefix(end + 1);
  }
  return false;
}

bool read_duration(const json::Item& item, std::optional<Instant::duration>& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  out = parse_duration(text);
  return out || item.refuse("not a duration like 250ms, 5s or 2m: " + json::quoted(text));
}

template <class Key>
bool read_key(const json::Item& item, std::string_view what, std::optional<Key>& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  const auto key = Key::parse(text);
  if (!key || key->is_zero()) return item.refuse("not a " + std::string(what) + ": " + json::quoted(text));
  out = *key;
  return true;
}

bool read_number(const json::Item& item, std::uint64_t least, std::uint64_t most, std::uint64_t& out) {
  if (!item.read(out)) return false;
  if (out >= least && out <= most) return true;
  return item.refuse("not a number from " + std::to_string(least) + " to " + std::to_string(most));
}

// Text that goes into a head of HTTP: no control characters.
bool read_plain(const json::Item& item, std::size_t most, std::string& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  const auto plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (text.empty() || text.size() > most || !std::all_of(text.begin(), text.end(), plain))
    return item.refuse("not 1 to " + std::to_string(most) + " printable characters without a space");
  out = text;
  return true;
}

// The words of `layer` and `fault` decide what else there may be.
bool read_kind(const json::Item& rule, const FaultKind*& kind) {
  std::string_view layer, word;
  bool layer_there = false, word_there = false;
  const auto take = [&](std::string_view name, const json::Item& item) {
    if (name == "layer") {
      layer_there = true;
      if (!item.read(layer)) return false;
      const bool known = std::any_of(std::begin(kinds), std::end(kinds),
                                     [&](const FaultKind& k) { return k.layer == layer; });
      return known || item.refuse("unknown layer " + json::quoted(layer));
    }
    if (name == "fault") {
      word_there = true;
      return item.read(word);
    }
    return true;
  };
  if (!rule.entries(take)) return false;
  if (!layer_there) return rule.refuse("a rule needs a layer");
  if (!word_there) return rule.refuse("a rule needs a fault");
  kind = std::find_if(std::begin(kinds), std::end(kinds),
                      [&](const FaultKind& k) { return k.layer == layer && k.word == word; });
  if (kind != std::end(kinds)) return true;
  return rule.entries([&](std::string_view name, const json::Item& item) {
    return name != "fault" ||
           item.refuse("unknown fault " + json::quoted(word) + " of layer " + json::quoted(layer));
  });
}

bool read_on(const json::Item& item, FaultRule& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  const auto* on = std::find_if(std::begin(on_words), std::end(on_words),
                                [text](const OnWord& o) { return o.word == text; });
  if (on == std::end(on_words)) return item.refuse("unknown event " + json::quoted(text));
  const bool request_only = out.fault == Fault::api_hold || out.fault == Fault::api_status;
  if (on->event == E::frame && request_only)
    return item.refuse("only a request can have this fault, not a frame");
  out.event = on->event;
  return true;
}

bool read_flood_frame(const json::Item& item, FaultRule& out) {
  std::string_view text;
  if (!item.read(text)) return false;
  if (text != "ping" && text != "settings") return item.refuse("unknown frame " + json::quoted(text));
  out.settings = text == "settings";
  return true;
}

// A status that the fault can have: an error, or a redirect.
bool read_status(const json::Item& item, FaultRule& out) {
  const bool redirect = out.fault == Fault::http_redirect;
  return read_number(item, redirect ? 300 : 400, redirect ? 399 : 599, out.status);
}

bool read_member(std::string_view name, const json::Item& item, const FaultKind& kind, FaultRule& out) {
  constexpr std::uint64_t endless = std::uint64_t{1} << 53;
  if (name == "layer" || name == "fault") return true;
  if (name == "machine") return read_key(item, "machine key", out.machine);
  if (name == "node") return read_key(item, "node key", out.node);
  if (name == "nth") return read_number(item, 1, endless, out.nth);
  if (name == "every") return read_number(item, 0, endless, out.every);
  if (name == "count") return read_number(item, 0, endless, out.count);
  if (!has_member(kind, name)) return item.unknown();
  if (name == "delay") return read_duration(item, out.delay);
  if (name == "retryAfter") return read_duration(item, out.retry_after);
  if (name == "on") return read_on(item, out);
  if (name == "path") return read_plain(item, 256, out.path);
  if (name == "location") return read_plain(item, 1024, out.location);
  if (name == "status") return read_status(item, out);
  if (name == "after") return read_number(item, 0, endless, out.after);
  if (name == "bytes") return read_number(item, 1, 0xffff'ffff, out.bytes);
  if (name == "code") return read_number(item, 0, 0xffff'ffff, out.code);
  if (name == "lastStream") return read_number(item, 0, 0x7fff'ffff, out.last_stream);
  if (name == "times") return read_number(item, 1, 10'000, out.times);
  if (name == "frame") return read_flood_frame(item, out);
  std::string_view text;  // of the error record
  if (!item.read(text)) return false;
  if (text.size() > 1024) return item.refuse("more than 1024 bytes");
  out.text = text;
  return true;
}

FaultRule defaults(const FaultKind& kind) {
  FaultRule out;
  out.fault = kind.fault;
  out.event = kind.event;
  out.bytes = kind.bytes;
  if (kind.fault == Fault::http_redirect) out.status = 302;
  if (kind.fault == Fault::http_wrong_key) out.path = "/key";
  if (kind.fault == Fault::http2_reset) out.code = 2;  // INTERNAL_ERROR
  if (kind.fault == Fault::noise_error_record) out.text = "an order of a test";
  return out;
}

// What members mean together.
bool check(const json::Item& rule, const FaultRule& out) {
  if (out.fault == Fault::http_redirect && out.location.empty())
    return rule.refuse("a redirect needs a location");
  if (out.fault == Fault::api_delay && !out.delay) return rule.refuse("this fault needs a delay");
  if (out.fault == Fault::early_garbage && out.bytes > 65'536)
    return rule.refuse("at most 65536 bytes of garbage");
  if (out.path.front() != '/') return rule.refuse("a path begins with a slash");
  if (out.event == E::outer_answer && out.path != "/ts2021" && out.selects())
    return rule.refuse("who asks for " + json::quoted(out.path) + " is not known: no node or machine here");
  return true;
}

}  // namespace

std::span<const FaultKind> fault_kinds() noexcept { return kinds; }

bool read_rule(const json::Item& item, FaultRule& out) {
  const FaultKind* kind = nullptr;
  if (!read_kind(item, kind)) return false;
  out = defaults(*kind);
  return item.entries([&](std::string_view name, const json::Item& member) {
    return read_member(name, member, *kind, out);
  }) && check(item, out);
}

}  // namespace ts2021::admin
