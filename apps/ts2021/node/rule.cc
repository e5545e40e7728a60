// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/node/rule.h"

#include <cstdint>

namespace ts2021::app {
namespace {

// Which check noticed it says more than the code: one code serves several rules.
struct Row {
  std::uint16_t first, last;  // origins
  std::string_view rule;
};
constexpr Row rows[] = {
    {100, 104, "KEY-2"},    // text of a key
    {222, 223, "HSK-7"},    // es and ss: the server's key
    {225, 226, "HSK-5"},    // head of message 2
    {227, 228, "HSK-7"},    // ee and se
    {229, 229, "HSK-5"},    // tag of message 2
    {231, 232, "HSK-5"},    // another message in its place
    {233, 233, "HSK-8"},    // an error record
    {242, 244, "REC-6"},    // head of a record
    {246, 246, "REC-7"},    // tag of a record
    {247, 247, "REC-5"},    // too many empty ones
    {248, 248, "REC-4"},    // the counter
    {310, 311, "ENT-10"},   // head
    {312, 312, "ENT-9"},    // its size
    {313, 315, "ENT-10"},   // head and chunks
    {316, 316, "ENT-8"},    // too many interim answers
    {320, 320, "ENT-9"},    // too many fields
    {321, 327, "ENT-10"},   // head
    {329, 329, "ENT-10"},   // chunks
    {340, 346, "ENT-7"},    // what a 101 must have
    {360, 363, "ENT-16"},   // WebSocket frames
    {364, 364, "ENT-15"},   // a text message
    {365, 366, "ENT-16"},   //
    {367, 367, "ENT-15"},   // size of a WebSocket message
    {368, 369, "ENT-16"},   //
    {370, 370, "ENT-17"},   // closed with an error
    {371, 371, "ENT-16"},   //
    {390, 391, "EAR-5"},    // length of the early payload
    {403, 403, "H2-14"},    // a push
    {404, 404, "H2-3"},     // size of a head
    {405, 405, "H2-9"},     // floods
    {406, 406, "H2-1"},     // no HTTP/2
    {409, 410, "H2-9"},     //
    {411, 411, "H2-1"},     //
    {413, 413, "H2-9"},     //
    {425, 427, "H2-15"},    // GOAWAY
    {501, 501, "MAP-4"},    // size of JSON
    {553, 553, "MAP-4"},    // unpacked size
    {554, 554, "MAP-2"},    // zstd
    {600, 601, "BOX-3"},    // the server's NaCl key
    {603, 604, "BOX-1"},    // a box
    {732, 732, "ENT-7"},    // another answer than 101
    {739, 739, "REC-8"},    // cut inside a record
    {823, 823, "MAP-3"},    // size 0
    {824, 825, "MAP-4"},    // size
    {826, 826, "MAP-1"},    // cut inside a message
    {1000, 1002, "SRV-2"},  // answer of /key
    {1021, 1021, "BOX-4"},  // our own box
};

}  // namespace

std::string_view rule_of(const Error& error) noexcept {
  for (const Row& row : rows)
    if (error.origin >= row.first && error.origin <= row.last) return row.rule;
  return {};
}

std::string describe(const Error& error) {
  std::string out(text(error.code));
  if (error.code == Errc::bad_upgrade && error.detail >= 100)
    out += ": status " + std::to_string(error.detail);
  if (const auto rule = rule_of(error); !rule.empty()) out.append(" (").append(rule).append(")");
  return out;
}

}  // namespace ts2021::app
