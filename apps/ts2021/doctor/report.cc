// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/report.h"

#include <algorithm>
#include <cstdio>

#include "common/json_text.h"
#include "common/printable.h"

namespace ts2021::app {
namespace {

constexpr std::size_t max_line = 240;  // bytes of a fact

std::string label(const Record& record) {
  const std::string way = name(record.way);
  return name(record.hop) + (way.empty() ? "" : " (" + way + ")");
}

const char* mark(Verdict verdict) { return verdict == Verdict::failed ? "FAILED" : name(verdict); }

void append(JsonText& json, const Record& record) {
  json.begin_object().member("hop", name(record.hop));
  if (record.way != Way::none) json.member("way", name(record.way));
  json.member("verdict", name(record.verdict))
      .member("ms", record.milliseconds)
      .member("what", name(record.what));
  json.member("fact", record.fact);
  if (record.status != 0) json.member("status", record.status);
  const std::pair<const char*, const std::string&> texts[] = {
      {"server", record.server},     {"contentType", record.content_type},
      {"location", record.location}, {"cache", record.cache},
      {"text", record.text},         {"alpn", record.alpn}};
  for (const auto& [member, text] : texts)
    if (!text.empty()) json.member(member, text);
  if (record.seconds != 0) json.member("seconds", record.seconds);
  if (record.other_version != 0) json.member("otherVersion", record.other_version);
  if (!record.details.empty()) {
    json.name("details").begin_array();
    for (const std::string& detail : record.details) json.value(detail);
    json.end_array();
  }
  json.end_object();
}

}  // namespace

std::string line(const Record& record) {
  char begin[64];
  if (record.verdict == Verdict::skipped)
    std::snprintf(begin, sizeof begin, "%-8s %-20s %10s  ", mark(record.verdict), label(record).c_str(), "");
  else
    std::snprintf(begin, sizeof begin, "%-8s %-20s %7.1f ms  ", mark(record.verdict), label(record).c_str(),
                  record.milliseconds);
  return begin + printable(record.fact, max_line) + "\n";
}

std::string lines(const Diagnosis& diagnosis, std::span<const Record> walk) {
  std::string out = std::string(diagnosis.ailment.name) + ": " + std::string(diagnosis.ailment.text) + "\n";
  if (!diagnosis.hop) return out;
  out += "breaks at   " + label(walk[*diagnosis.hop]) + "\n";
  const char* before = "because     ";
  for (const std::string& cause : diagnosis.causes) {
    out += before + printable(cause, max_line) + "\n";
    before = "or because  ";
  }
  return out + "so          " + diagnosis.advice + "\n";
}

std::string json(std::string_view url, const Diagnosis& diagnosis, std::span<const Record> walk) {
  JsonText json;
  json.begin_object().member("url", url);
  json.member("class", diagnosis.ailment.name).member("exitCode", diagnosis.ailment.exit_code);
  json.member("text", diagnosis.ailment.text);
  if (diagnosis.hop) {
    const Record& at = walk[*diagnosis.hop];
    json.member("hop", name(at.hop));
    if (at.way != Way::none) json.member("way", name(at.way));
    json.name("causes").begin_array();
    for (const std::string& cause : diagnosis.causes) json.value(cause);
    json.end_array().member("advice", diagnosis.advice);
  }
  json.name("walk").begin_array();
  for (const Record& record : walk) append(json, record);
  json.end_array().end_object();
  return json.text();
}

std::string exit_codes() {
  std::string out = "Exit codes:\n";
  for (const Ailment& ailment : all_ailments) {
    char begin[48];
    std::snprintf(begin, sizeof begin, "  %2d  %-22s ", ailment.exit_code, std::string(ailment.name).c_str());
    out += begin + std::string(ailment.text) + "\n";
  }
  return out + "   1  a URL or flag that can't be used\n";
}

}  // namespace ts2021::app
