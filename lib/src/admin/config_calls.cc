// SPDX-License-Identifier: BSD-3-Clause
// The switches of /admin/config.
#include <memory>
#include <variant>

#include "admin/handlers.h"
#include "admin/members.h"
#include "admin/query.h"

namespace ts2021::admin {
namespace {

using Place = std::variant<bool Rules::*, std::string Rules::*, std::optional<bool> Rules::*,
                           bool OwnSwitches::*, std::string OwnSwitches::*>;
struct Switch {
  std::string_view name;
  Place place;
};
constexpr std::string_view base_url = "baseURL";
const Switch switches[] = {
    {"verbose", &OwnSwitches::verbose},
    {"requireAuth", &Rules::require_auth},
    {"requireAuthKey", &Rules::require_auth_key},
    {"requireMachineAuth", &Rules::require_approval},
    {"magicDNSDomain", &Rules::magic_dns_domain},
    {"setDNSError", &OwnSwitches::set_dns_error},
    {"peerRelayGrants", &Rules::peer_relay_grants},
    {"allNodesSameUser", &Rules::all_nodes_same_user},
    {"allOnline", &Rules::all_online},
    {"collectServices", &Rules::collect_services},
    {base_url, &Rules::login_url},
    {"expireAll", &Rules::expire_all},
};

void write(json::Writer& out, bool value) { out.boolean(value); }
void write(json::Writer& out, const std::string& value) { out.string(value); }
void write(json::Writer& out, const std::optional<bool>& value) { value ? out.boolean(*value) : out.null(); }

Reply config(const State& state) {
  const Rules& rules = state.coordinator->rules();
  return object_reply([&](json::Writer& out) {
    for (const Switch& one : switches) {
      out.plain_name(one.name);
      if (one.name == base_url)
        out.string(state.base_url());
      else
        std::visit(
            [&](auto place) {
              if constexpr (requires { rules.*place; })
                write(out, rules.*place);
              else
                write(out, state.passing.own.*place);
            },
            one.place);
    }
  });
}

bool is_base_url(std::string_view url) {
  return url.empty() || ((url.starts_with("http://") || url.starts_with("https://")) && !url.ends_with('/') &&
                         url.find_first_of(" \"\\?#") == url.npos);
}

struct Changes {
  std::vector<std::function<void(Rules&)>> rules;
  std::vector<std::function<void(OwnSwitches&)>> own;
};

template <class Owner, class T>
void read(Members& body, std::string_view name, T Owner::*place, Changes& out) {
  T value{};
  if (!body.take(name, value)) return;
  auto change = [place, value = std::move(value)](Owner& owner) { owner.*place = value; };
  if constexpr (std::is_same_v<Owner, Rules>)
    out.rules.push_back(std::move(change));
  else
    out.own.push_back(std::move(change));
}

}  // namespace

Outcome show_config(Call& call) { return config(call.state); }

Outcome change_config(Call& call) {
  const auto wake = pushes(call.request.query);
  if (!wake) return error_reply(400, "push must be true or false");
  json::Document document;
  Members body(document, call.request.body);
  std::string url;
  const bool has_url = body.take(base_url, url);
  if (!is_base_url(url)) body.refuse(base_url, "must be a URL without a slash at its end");
  auto changes = std::make_shared<Changes>();
  for (const Switch& one : switches)
    std::visit([&](auto place) { read(body, one.name, place, *changes); }, one.place);
  if (const std::string wrong = body.finish(); !wrong.empty()) return error_reply(400, wrong);
  State& state = call.state;
  state.change_rules(
      call.request.call, *wake,
      [changes, has_url, &state](Rules& rules) {
        for (const auto& change : changes->rules) change(rules);
        if (has_url && rules.login_url.empty()) rules.login_url = state.config.base_url;
      },
      [changes, &state](const auto&) {
        for (const auto& change : changes->own) change(state.passing.own);
        return config(state);
      });
  return std::nullopt;
}

}  // namespace ts2021::admin
