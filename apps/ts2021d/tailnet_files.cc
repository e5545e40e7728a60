// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021d/tailnet_files.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "ts2021/msg/codec.h"
#include "ts2021/msg/derp.h"

namespace ts2021::app {
namespace {

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) throw std::runtime_error("can't read " + path);
  return text;
}

}  // namespace

std::shared_ptr<const DERPMap> read_derp_map(const std::string& path) {
  const std::string text = read_text(path);
  auto map = decode_copy<DERPMap>(as_bytes(text));
  if (!map) throw std::runtime_error(path + ": not a DERP map");
  return std::make_shared<const DERPMap>(*std::move(map));
}

std::shared_ptr<const Policy> read_policy(const std::string& path, const PolicyRoles& roles) {
  PolicyResult result = PolicyFile::parse(read_text(path), roles);
  if (!result)
    throw std::runtime_error(
        fmt::format("{}:{}:{}: {}", path, result.error.line, result.error.column, result.error.message));
  return std::move(result.policy);
}

std::shared_ptr<const admin::FaultBook> read_faults(const std::string& path) {
  auto parsed = admin::FaultBook::parse(read_text(path));
  if (!parsed)
    throw std::runtime_error(
        fmt::format("{}:{}:{}: {}", path, parsed.error.line, parsed.error.column, parsed.error.message));
  return std::move(parsed.book);
}

}  // namespace ts2021::app
