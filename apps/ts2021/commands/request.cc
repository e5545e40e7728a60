// SPDX-License-Identifier: BSD-3-Clause
// ts2021 request: any request inside Noise, or of TS2019.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/json_text.h"
#include "common/printable.h"
#include "ts2021/commands.h"
#include "ts2021/msg/primitives.h"
#include "ts2021/node/link.h"

namespace ts2021::app {
namespace {

struct Options {
  NodeTarget node;
  std::string method, path, data;
  std::vector<std::string> headers;
  std::size_t max_body = 16 << 20;
  std::size_t max_sent = 16 << 20;
  bool show_headers = false, json = false;
};

std::string read_all(std::istream& in, std::size_t limit, const std::string& what) {
  std::string out;
  std::vector<char> piece(64 << 10);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0) {
    out.append(piece.data(), static_cast<std::size_t>(in.gcount()));
    if (out.size() > limit)
      throw std::runtime_error(what + ": more than " + std::to_string(limit) + " bytes");
  }
  return out;
}

std::string body_of(const Options& options) {
  if (options.data.empty() || options.data.front() != '@') return options.data;
  const std::string file = options.data.substr(1);
  if (file == "-") return read_all(std::cin, options.max_sent, "standard input");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file + ": can't be read");
  return read_all(in, options.max_sent, file);
}

Call call_of(const Options& options) {
  Call call{options.method, options.path, body_of(options), {}};
  for (const std::string& header : options.headers) {
    const std::size_t colon = header.find(':');
    if (colon == 0 || colon == std::string::npos) throw std::runtime_error("-H: not \"name: value\"");
    std::string name = header.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t value = header.find_first_not_of(' ', colon + 1);
    call.headers.emplace_back(std::move(name), value == std::string::npos ? "" : header.substr(value));
  }
  return call;
}

void print(const Answer& answer, const Options& options) {
  if (options.json) {
    JsonText json;
    json.begin_object().member("status", answer.status).name("headers").begin_array();
    for (const auto& [name, value] : answer.headers) json.begin_array().value(name).value(value).end_array();
    json.end_array()
        .member("size", answer.body.size())
        .member("base64", Blob{answer.body}.text())
        .end_object();
    std::printf("%s\n", json.text().c_str());
    return;
  }
  if (options.show_headers) {
    std::printf("%d\n", answer.status);
    for (const auto& [name, value] : answer.headers)
      std::printf("%s: %s\n", printable(name, 1000).c_str(), printable(value, 8000).c_str());
    std::printf("\n");
  } else if (answer.status != 200) {
    std::fprintf(stderr, "status %d\n", answer.status);
  }
  std::fwrite(answer.body.data(), 1, answer.body.size(), stdout);
}

int run(const Options& options) {
  const NodeState state = load_state(options.node.state);
  const Call call = call_of(options);
  NodeLink link(options.node, state.machine);
  const CallLimits limits{options.max_body, options.node.dialing().timeout};
  try {
    const Answer answer = link.call(call, limits);
    print(answer, options);
    return answer.status >= 200 && answer.status < 300 ? 0 : 3;
  } catch (const CallError& error) {
    std::fprintf(stderr, "ts2021: %s\n", error.what());
    return 2;
  }
}

}  // namespace

Run add_request(CLI::App& program) {
  const auto options = std::make_shared<Options>();
  CLI::App& command =
      *program.add_subcommand("request", "send one request inside Noise, and show the answer");
  add_node_target(command, options->node);
  command.add_option("METHOD", options->method)->required();
  command
      .add_option(
          "PATH", options->path,
          "with query; by TS2019, /machine/register, map and set-dns are boxed and sent where it has them")
      ->required();
  command.add_option("--data", options->data, "the body, or @FILE, or @- for the standard input");
  command.add_option("-H,--header", options->headers, "\"name: value\", as often as wanted")
      ->allow_extra_args(false);
  command.add_flag("-i,--include", options->show_headers, "print status and headers before the body");
  command.add_option("--max-body", options->max_body, "bytes of the answer that are taken")
      ->capture_default_str();
  command.add_flag("--json", options->json, "print one JSON document");
  command.footer(
      "The body is printed as it came. Exit code: 0 for a status 2xx, 3 for another, 2 when no whole answer "
      "came, 1 for anything else.");
  return [options] { return run(*options); };
}

}  // namespace ts2021::app
