// SPDX-License-Identifier: BSD-3-Clause
// The table of registration against the order in which the protocol decides, over all inputs.
#include "coord/registration.h"

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "coord/registrar.h"
#include "support/catch.h"
#include "support/coord_desk.h"

namespace ts2021::coord::registration {
namespace {

template <class E>
constexpr std::size_t values = 0;
template <>
constexpr std::size_t values<Form> = 2;
template <>
constexpr std::size_t values<coord::registration::Pace> = 2;
template <>
constexpr std::size_t values<Holder> = 4;
template <>
constexpr std::size_t values<Wish> = 3;
template <>
constexpr std::size_t values<Keys> = 2;
template <>
constexpr std::size_t values<Followup> = 3;
template <>
constexpr std::size_t values<Place> = 2;
template <>
constexpr std::size_t values<AuthKey> = 6;
template <>
constexpr std::size_t values<Tags> = 2;
template <>
constexpr std::size_t values<OldKey> = 3;
template <>
constexpr std::size_t values<Door> = 2;

template <class E>
void turn(E& fact, std::size_t& number) {
  fact = static_cast<E>(number % values<E>);
  number /= values<E>;
}

constexpr std::size_t fact_count = values<Form> * values<Pace> * values<Holder> * values<Wish> *
                                   values<Keys> * values<Followup> * values<Place> * values<AuthKey> *
                                   values<Tags> * values<OldKey> * values<Door>;

Facts facts_of(std::size_t number) {
  Facts facts;
  turn(facts.form, number);
  turn(facts.pace, number);
  turn(facts.holder, number);
  turn(facts.wish, number);
  turn(facts.keys, number);
  turn(facts.followup, number);
  turn(facts.place, number);
  turn(facts.auth_key, number);
  turn(facts.tags, number);
  turn(facts.old_key, number);
  turn(facts.door, number);
  return facts;
}

struct Verdict {
  Outcome outcome;
  std::string_view text{};
  bool operator==(const Verdict&) const = default;
};

// The decision as the protocol's description tells it, step by step.
Verdict log_in(const Facts& facts) {
  if (facts.place == Place::elsewhere)
    return {Outcome::refused, "this server is another tailnet than the required one"};
  switch (facts.auth_key) {
    case AuthKey::unknown:
      return {Outcome::refused, "invalid auth key"};
    case AuthKey::revoked:
      return {Outcome::refused, "authkey revoked"};
    case AuthKey::expired:
      return {Outcome::refused, "authkey expired"};
    case AuthKey::spent:
      return {Outcome::refused, "authkey already used"};
    case AuthKey::good:
      return {facts.tags == Tags::refused ? Outcome::bad_tags : Outcome::enroll};
    case AuthKey::none:
      break;
  }
  if (facts.old_key == OldKey::locked) return {Outcome::sign_again};
  if (facts.old_key == OldKey::rotates) return {Outcome::rotate};
  if (facts.door == Door::open) return {Outcome::ask_a_person};
  return {Outcome::refused, "interactive login is not available on this server: use an auth key"};
}

Verdict decide(const Facts& facts) {
  if (facts.form == Form::malformed) return {Outcome::malformed, "the request has no version or no node key"};
  if (facts.pace == Pace::hasty) return {Outcome::slow_down, "too many registrations: try again later"};
  const bool known = facts.holder == Holder::live || facts.holder == Holder::expired;
  if (facts.holder == Holder::stranger) return {Outcome::refused, "node key already in use"};
  if (facts.wish == Wish::out) return {known ? Outcome::log_out : Outcome::stay_out};
  if (facts.keys == Keys::all_expired) return {Outcome::stay_out};
  if (facts.followup == Followup::waits) return {Outcome::hold};
  if (facts.holder == Holder::live) return {Outcome::welcome};
  if (facts.holder == Holder::expired && facts.auth_key != AuthKey::good) return {Outcome::stay_out};
  return log_in(facts);
}

std::string page_table() {
  std::ostringstream out;
  out << "| | a request where … | outcome | `Error` or status text | rule |\n|---|---|---|---|---|\n";
  std::size_t number = 0;
  for (const Row& row : table())
    out << "| " << ++number << " | " << row.when << " | " << name(row.outcome) << " | " << row.text << " | "
        << row.rule << " |\n";
  return out.str();
}

}  // namespace

TEST_CASE("the table decides every request as the protocol's order does") {
  for (std::size_t number = 0; number < fact_count; ++number) {
    const Facts facts = facts_of(number);
    const Row& row = row_for(facts);
    if (Verdict{row.outcome, row.text} == decide(facts)) continue;
    INFO("facts " << number << ", row: " << row.when);
    CHECK(row.outcome == decide(facts).outcome);
    CHECK(row.text == decide(facts).text);
  }
}

TEST_CASE("every row of the table is reached, and every outcome has one") {
  std::set<const Row*> rows;
  std::set<Outcome> outcomes;
  for (std::size_t number = 0; number < fact_count; ++number) {
    const Row& row = row_for(facts_of(number));
    rows.insert(&row);
    outcomes.insert(row.outcome);
  }
  CHECK(rows.size() == table().size());
  CHECK(outcomes.size() == outcome_count);
}

TEST_CASE("API-88: with the lock on, a key without signature is sent back with the old key's") {
  using namespace ts2021::test;
  const CoordinatorConfig config = desk_config();
  SeededEntropy entropy(1);
  Tailnet tailnet;
  IdBlock ids;
  Logins logins(entropy, config);
  Registrar registrar(tailnet, entropy, config, ids, logins);
  const AllowAll policy;
  RegisterRequest request;
  request.version = newest_capability;
  request.node_key = make_key<NodePublic>(1);
  request.old_node_key = make_key<NodePublic>(2);
  const std::vector<std::uint8_t> signature{1, 2, 3};
  const Plan plan = registrar.plan(
      {{SessionId{1}, CallId{2}}, request, make_key<MachinePublic>(3), Now{}, policy, {}, {}, signature});
  CHECK(plan.writes.empty());
  REQUIRE(plan.events.size() == 1);
  const auto& reply = std::get<coord_event::RegisterReply>(plan.events[0]);
  CHECK(reply.reply->node_key_signature.bytes == signature);
  CHECK(!reply.reply->machine_authorized);
  CHECK(reply.reply->error.empty());
}

TEST_CASE("the architecture page shows the table of registration") {
  std::ifstream file(std::string(TS2021_TEST_DATA) + "/../../lib/ARCHITECTURE.md");
  std::ostringstream page;
  page << file.rdbuf();
  INFO("wanted:\n" << page_table());
  CHECK(page.str().find(page_table()) != std::string::npos);
}

}  // namespace ts2021::coord::registration
