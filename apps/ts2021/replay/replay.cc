// SPDX-License-Identifier: BSD-3-Clause
// ts2021 replay: plays a capture of ts2021d again, either side.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "ts2021/commands.h"
#include "ts2021/replay/replay.h"

namespace ts2021::app {

Conversation load_conversation(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("can't read " + path);
  auto read = Conversation::read(text);
  if (!read)
    throw std::runtime_error(path + ": line " + std::to_string(read.error().detail) +
                             ": not a line of a capture");
  if (read->exchanges.empty()) throw std::runtime_error(path + ": nobody asks anything there");
  return *std::move(read);
}

std::vector<Header> headers_to_send(const CaptureLine& line, Translation& translation, Entropy* fresh,
                                    std::vector<std::string>& kept) {
  // What the connection writes itself, or what belongs to the old one.
  constexpr std::string_view own[] = {
      "host", "content-length", "connection", "transfer-encoding", "upgrade",
      "te",   "expect",         "date",       "content-type",      "keep-alive"};
  kept.clear();
  for (const auto& [name, value] : line.headers) {
    const bool is_own = std::any_of(std::begin(own), std::end(own),
                                    [&name = name](std::string_view o) { return same_token(o, name); });
    if (is_own) continue;
    kept.push_back(name);
    kept.push_back(translation.apply(value, fresh));
  }
  std::vector<Header> headers;
  for (std::size_t i = 0; i + 1 < kept.size(); i += 2) headers.push_back({kept[i], kept[i + 1]});
  return headers;
}

void ReplayReport::add(Comparison comparison) {
  comparison.compare();
  ++(comparison.differences.empty() ? same_ : different_);
  std::fputs((json_ ? json_text(comparison) : text(comparison)).c_str(), stdout);
  std::fflush(stdout);
}

void ReplayReport::never_asked(const CapturedExchange& exchange) {
  ++never_asked_;
  if (json_) return;
  std::printf("never asked  %s %s\n", exchange.request.method.c_str(), exchange.request.path.c_str());
}

int ReplayReport::finish() const {
  std::printf(json_ ? "{\"same\":%zu,\"different\":%zu,\"never_asked\":%zu}\n"
                    : "%zu the same, %zu different, %zu never asked\n",
              same_, different_, never_asked_);
  std::fflush(stdout);
  return different_ == 0 ? 0 : 3;
}

namespace {

int run(const ReplayOptions& options) {
  if (options.target.url.empty() == options.listen.empty())
    throw std::runtime_error("replay wants a URL, for the client's side, or --listen, for the server's");
  Conversation conversation = load_conversation(options.capture);
  if (options.session != 0) {
    std::erase_if(conversation.exchanges, [&](const auto& e) { return e.session != options.session; });
    if (conversation.exchanges.empty()) throw std::runtime_error("nobody asks anything in that session");
  }
  return options.listen.empty() ? replay_client(options, conversation) : replay_server(options, conversation);
}

}  // namespace

Run add_replay(CLI::App& program) {
  const auto options = std::make_shared<ReplayOptions>();
  CLI::App& command = *program.add_subcommand("replay", "play a capture of ts2021d again, either side of it");
  command.add_option("FILE", options->capture, "what ts2021d --capture has written")
      ->required()
      ->check(CLI::ExistingFile);
  auto* const url =
      command.add_option("URL", options->target.url,
                         "play the client's side to this server, with fresh keys, and compare its answers");
  command
      .add_option("--listen", options->listen,
                  "play the server's side at this address:port to whoever comes; port 0 takes a free one")
      ->excludes(url);
  add_dialing(command, options->target);
  command.add_option("--auth-key", options->auth_key, "key in the place of the recorded ones");
  command.add_option("--session", options->session, "only the connection of this number");
  command.add_option("--patience", options->patience, "seconds that an answer may take")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command.add_flag("--timed", options->timed, "keep to the recorded times");
  command.add_flag("--once", options->once, "with --listen: end once all that was recorded has been asked");
  command.add_flag("--json", options->json, "print one object a line");
  command.footer("Ends with 0 when every answer is of the recorded kind, with 3 when one differs.");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
