// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/capture/comparison.h"

#include <algorithm>
#include <iterator>

#include "json/reader.h"
#include "json/writer.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/register.h"

namespace ts2021 {
namespace {

std::vector<std::string> member_names(const json::Value& object) {
  std::vector<std::string> names;
  json::ObjectCursor members(object);
  std::string_view name;
  json::Value value;
  while (members.next(name, value)) names.emplace_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

std::string outcome_of(Bytes body) {
  const auto answer = decode_copy<RegisterResponse>(body);
  if (!answer) return "unreadable";
  if (!answer->error.empty()) return "refused";
  if (!answer->auth_url.empty()) return "log in";
  return answer->machine_authorized ? "authorized" : "waits";
}

std::string list(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : ", ").append(word);
  return out;
}

std::vector<std::string> only_in(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::vector<std::string> out;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
  return out;
}

std::string status_text(int status) { return status == 0 ? "no answer" : "status " + std::to_string(status); }

void write(const MessageKind& kind, json::Writer& out) {
  out.begin_object();
  if (kind.status != 0) {
    out.plain_name("status");
    out.integer(std::int64_t{kind.status});
  }
  out.plain_name("body");
  out.plain_string(kind.body);
  if (!kind.outcome.empty()) {
    out.plain_name("outcome");
    out.plain_string(kind.outcome);
  }
  if (!kind.members.empty()) {
    out.plain_name("members");
    out.begin_array();
    for (const std::string& name : kind.members) out.string(name);
    out.end_array();
  }
  out.end_object();
}

void write(std::string_view name, const std::vector<std::string>& lines, json::Writer& out) {
  if (lines.empty()) return;
  out.plain_name(name);
  out.begin_array();
  for (const std::string& line : lines) out.string(line);
  out.end_array();
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 0x20 && c < 0x7f ? c : '?';
  return out;
}

}  // namespace

MessageKind kind_of_body(Bytes body) {
  MessageKind kind;
  if (body.empty()) return kind;
  json::Document document;
  const auto value = document.parse_copy(body);
  if (value && value->type() == json::Type::object) {
    kind.body = "object";
    kind.members = member_names(*value);
  } else if (value && value->type() == json::Type::array) {
    kind.body = "list";
  } else {
    kind.body = json::valid_utf8(body) ? "text" : "bytes";
  }
  return kind;
}

MessageKind kind_of_answer(std::string_view path, int status, Bytes body) {
  MessageKind kind = kind_of_body(body);
  kind.status = status;
  if (status == 200 && path.ends_with("/register")) kind.outcome = outcome_of(body);
  return kind;
}

MessageKind kind_of_map(int status, Bytes message) {
  MessageKind kind = kind_of_body(message);
  kind.status = status;
  if (kind.body == "object") kind.body = "map";
  return kind;
}

MessageKind kind_of_answer(const CapturedExchange& exchange) {
  const int status = exchange.answer ? exchange.answer->status : exchange.messages.empty() ? 0 : 200;
  if (!exchange.messages.empty()) return kind_of_map(status, exchange.messages.front().body);
  return kind_of_answer(path_of(exchange.request), status, exchange.answer ? exchange.answer->body : Bytes());
}

void Comparison::compare() {
  if (recorded == MessageKind{}) {
    notes.emplace_back("never answered in the recording");
    return;
  }
  if (recorded.status != seen.status) {
    differences.push_back(status_text(seen.status) + " instead of " + status_text(recorded.status));
  } else if (recorded.body != seen.body) {
    differences.push_back("body: " + std::string(seen.body) + " instead of " + std::string(recorded.body));
  }
  if (recorded.outcome != seen.outcome)
    differences.push_back("outcome: " + (seen.outcome.empty() ? "none" : seen.outcome) + " instead of " +
                          (recorded.outcome.empty() ? "none" : recorded.outcome));
  if (recorded.body != seen.body) return;
  const auto missing = only_in(recorded.members, seen.members),
             more = only_in(seen.members, recorded.members);
  if (!missing.empty()) notes.push_back("only recorded: " + list(missing));
  if (!more.empty()) notes.push_back("only now: " + list(more));
}

std::string text(const Comparison& c) {
  std::string out = c.differences.empty() ? "same  " : "DIFFERS  ";
  out += printable(c.method) + " " + printable(c.path);
  if (c.seen.status != 0) out += ": " + std::to_string(c.seen.status);
  if (!c.seen.outcome.empty()) out += " " + c.seen.outcome;
  out += "\n";
  for (const std::string& difference : c.differences) out += "    " + printable(difference) + "\n";
  for (const std::string& note : c.notes) out += "    note: " + printable(note) + "\n";
  return out;
}

std::string json_text(const Comparison& c) {
  std::string out;
  {
    json::Writer writer(out);
    writer.begin_object();
    writer.plain_name("request");
    writer.integer(std::uint64_t{c.number});
    writer.plain_name("session");
    writer.integer(c.session);
    writer.plain_name("method");
    writer.string(c.method);
    writer.plain_name("path");
    writer.string(c.path);
    writer.plain_name("same");
    writer.boolean(c.differences.empty());
    writer.plain_name("recorded");
    write(c.recorded, writer);
    writer.plain_name("seen");
    write(c.seen, writer);
    write("differences", c.differences, writer);
    write("notes", c.notes, writer);
    writer.end_object();
  }
  out += '\n';
  return out;
}

}  // namespace ts2021
