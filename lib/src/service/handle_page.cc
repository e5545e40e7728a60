// SPDX-License-Identifier: BSD-3-Clause
// The pages on which a person lets a machine in. A program with logins of its own replaces them by own rows
// and ends logins with CompleteLogin.
#include "service/form.h"
#include "service/handlers.h"
#include "service/page.h"

namespace ts2021::service {
namespace {

constexpr std::size_t max_login_name = 254;

// What clients can carry: the Rust client reads it without escapes (API-65).
bool is_login_name(std::string_view name) {
  if (name.empty() || name.size() > max_login_name) return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '\\') return false;
  return true;
}

void show_page(Exchange& exchange, const answer::Pending& pending) {
  exchange.reply(200, html, decision_page(pending), page_headers);
}

void thank(Exchange& exchange, const answer::Done&) {
  exchange.reply(200, html, message_page("Done", "You may close this window."), page_headers);
}

}  // namespace

// API-144: a look decides nothing.
void on_decision_page(Call& call) {
  call.ask<&show_page>(question::FindPending{std::string(call.request.args[0])});
}

void on_decision(Call& call) {
  const auto refuse = [&](int status, std::string_view why) {
    call.reply(status, html, message_page("That did not work", why), page_headers);
  };
  if (!is_same_origin(call.request.headers, call.config.url))  // API-144
    return refuse(403, "The form came from another site.");
  const std::string_view form = as_text(call.request.body);
  const std::string decision = form_value(form, decision_field);
  question::DecidePending said{std::string(call.request.args[0]), form_value(form, login_field), {}};
  if (decision == deny_value) {
    said.login_name.clear();
    said.refusal = "the login was denied";
  } else if (decision != connect_value) {
    return refuse(400, "Nothing was decided.");
  } else if (!is_login_name(said.login_name)) {
    return refuse(400, "A login name is needed, without spaces and quotes.");
  }
  call.ask<&thank>(std::move(said));
}

// The command line of a node that waits for approval sends its user here.
void on_admin_page(Call& call) {
  call.reply(200, html,
             message_page("No administration here",
                          "Machines are approved by whoever runs this server, with its own tools."),
             page_headers);
}

}  // namespace ts2021::service
