// SPDX-License-Identifier: BSD-3-Clause
// ts2021 capture-to-corpus: seeds of the fuzz targets from what real clients and servers have said.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "ts2021/capture/conversation.h"
#include "ts2021/commands.h"
#include "ts2021/msg/codec.h"
#include "ts2021/msg/map_request.h"
#include "ts2021/msg/register.h"
#include "ts2021/replay/replay.h"

namespace ts2021::app {
namespace {

struct CorpusOptions {
  std::string capture, directory;  // paths
  std::size_t max_size = 4096;     // bytes of a seed; larger ones are left out
};

// Auth keys are the one secret in messages that a name gives away.
std::string without_auth_keys(std::string text) {
  constexpr std::string_view prefix = "tskey-";
  for (std::size_t at = text.find(prefix); at != std::string::npos;
       at = text.find(prefix, at + prefix.size())) {
    const std::size_t end = text.find_first_of("\" \\/,}&", at);
    text.replace(at + prefix.size(), (end == std::string::npos ? text.size() : end) - at - prefix.size(),
                 "key");
  }
  return text;
}

// FNV-1a: names what is the same the same, and keeps nobody from anything.
std::string content_name(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  char name[17];
  std::snprintf(name, sizeof name, "%016llx", static_cast<unsigned long long>(hash));
  return name;
}

class Corpus {
 public:
  explicit Corpus(const CorpusOptions& options) : options_(options) {}

  void add(const std::string& target, std::string bytes) {
    bytes = without_auth_keys(std::move(bytes));
    if (bytes.empty() || bytes.size() > options_.max_size) return;
    seeds_[target].insert(std::move(bytes));
  }
  void add_json(const std::string& target, Bytes body) {
    if (!body.empty() && body[0] == '{') add(target, std::string(as_text(body)));
  }

  void write() const {
    for (const auto& [target, seeds] : seeds_) {
      const auto folder = std::filesystem::path(options_.directory) / target;
      std::filesystem::create_directories(folder);
      for (const std::string& seed : seeds) {
        std::ofstream out(folder / content_name(seed), std::ios::binary);
        out << seed;
        if (!out.flush()) throw std::runtime_error("can't write into " + folder.string());
      }
      std::printf("%-20s %zu\n", target.c_str(), seeds.size());
    }
  }

 private:
  const CorpusOptions& options_;
  std::map<std::string, std::set<std::string>> seeds_;
};

void add_messages(const CapturedExchange& exchange, Corpus& corpus) {
  const std::string_view path = path_of(exchange.request);
  const Bytes answer = exchange.answer ? Bytes(exchange.answer->body) : Bytes();
  if (path.ends_with("/map")) {
    corpus.add_json("json_map_request", exchange.request.body);
    for (const CaptureLine& message : exchange.messages) {
      corpus.add_json("json_map_response", message.body);
      corpus.add_json("json_stable", message.body);
    }
  } else {
    const bool lock = path.find("/tka/") != std::string_view::npos;
    const std::string target = path.ends_with("/register") || exchange.boxed ? "json_register"
                               : lock                                        ? "json_lock"
                                                                             : "json_endpoints";
    corpus.add_json(target, exchange.request.body);
    corpus.add_json(target, answer);
  }
}

// The outer site as bytes: place 0 of the server's target, whole in one piece; and the front of HTTP/1.1's.
void add_outer(const CapturedExchange& exchange, Corpus& corpus) {
  if (exchange.inside || exchange.boxed) return;
  const CaptureLine& asked = exchange.request;
  std::string head = asked.method + " " + asked.path + " HTTP/1.1\r\n";
  for (const auto& [name, value] : asked.headers) head += name + ": " + value + "\r\n";
  head += "\r\n" + std::string(as_text(asked.body));
  corpus.add("server_connection", std::string(2, '\0') + head);
  corpus.add("http1_head", std::string(1, '\2') + head);
}

// The coordinator's target: two bytes for each operation, what and by whom. Nodes and connections become its
// four machines with four connections each; what their messages say is boiled down to what the target can
// say.
class Operations {
 public:
  void pass_until(std::chrono::microseconds at) {
    const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(at - last_);
    last_ = at;
    if (gap >= std::chrono::seconds{1})
      add(12, static_cast<unsigned>(std::min<std::int64_t>(gap.count() / 1000, 255)));
    else if (gap >= std::chrono::milliseconds{10})
      add(11, static_cast<unsigned>(gap.count() / 10));
    add(15, 0);
    add(9, 0);
  }
  void ask(const CapturedExchange& exchange, std::string_view machine) {
    const unsigned who = place(machine, exchange.session);
    if (path_of(exchange.request).ends_with("/register")) {
      const auto request = decode_copy<RegisterRequest>(exchange.request.body);
      if (request) add(2u + (request->ephemeral ? 32u : 0u) + (request->auth ? 64u : 0u), who);
    } else if (path_of(exchange.request).ends_with("/map")) {
      const auto request = decode_copy<MapRequest>(exchange.request.body);
      if (request)
        add(4u + (request->stream ? 16u : 0u) + (request->omit_peers ? 32u : 0u) +
                (request->read_only ? 64u : 0u) + (request->compress.empty() ? 0u : 128u),
            who | 0xe0);
    }
  }
  [[nodiscard]] std::string seed() const { return bytes_.substr(0, 401); }

 private:
  void add(unsigned what, unsigned who) {
    bytes_ += static_cast<char>(what);
    bytes_ += static_cast<char>(who);
  }
  unsigned place(std::string_view machine, std::uint64_t session) {
    const auto m = machines_.try_emplace(std::string(machine), machines_.size()).first->second;
    const auto s = sessions_.try_emplace(session, sessions_.size()).first->second;
    return static_cast<unsigned>((m & 3) | ((s & 3) << 2));
  }

  std::string bytes_ = std::string(1, '\0');
  std::chrono::microseconds last_{};
  std::map<std::string, std::size_t> machines_;
  std::map<std::uint64_t, std::size_t> sessions_;
};

int run(const CorpusOptions& options) {
  const Conversation conversation = load_conversation(options.capture);
  Corpus corpus(options);
  Operations operations;
  for (const CapturedExchange& exchange : conversation.exchanges) {
    add_messages(exchange, corpus);
    add_outer(exchange, corpus);
    const CapturedSession* const session = conversation.find(exchange.session);
    operations.pass_until(exchange.request.at);
    operations.ask(exchange, exchange.boxed                  ? std::string_view(exchange.request.machine)
                             : session && session->handshake ? std::string_view(session->handshake->machine)
                                                             : std::string_view());
  }
  corpus.add("coordinator", operations.seed());
  corpus.write();
  return 0;
}

}  // namespace

Run add_capture_to_corpus(CLI::App& program) {
  const auto options = std::make_shared<CorpusOptions>();
  CLI::App& command =
      *program.add_subcommand("capture-to-corpus", "make seeds for the fuzz targets from a capture");
  command.add_option("FILE", options->capture, "what ts2021d --capture has written")
      ->required()
      ->check(CLI::ExistingFile);
  command.add_option("DIR", options->directory, "gets a directory for each target")->required();
  command.add_option("--max-size", options->max_size, "bytes of a seed; larger ones are left out")
      ->capture_default_str();
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
