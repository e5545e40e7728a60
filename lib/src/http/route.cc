// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/http/route.h"

namespace ts2021 {
namespace {

// Fills args on a match; may leave garbage in them otherwise.
bool matches(std::string_view pattern, std::string_view path,
             std::array<std::string_view, 4>& args) noexcept {
  std::size_t count = 0;
  while (true) {
    const std::size_t brace = pattern.find("{}");
    if (brace == std::string_view::npos) return pattern == path;
    if (path.substr(0, brace) != pattern.substr(0, brace) || count == args.size()) return false;
    path.remove_prefix(brace);
    pattern.remove_prefix(brace + 2);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment.empty()) return false;
    args[count++] = segment;
    path.remove_prefix(segment.size());
  }
}

}  // namespace

RouteMatch match_route(std::span<const Route> routes, Site site, Method method,
                       std::string_view path) noexcept {
  RouteMatch found;
  for (const Route& route : routes) {
    std::array<std::string_view, 4> args{};
    if (route.site != site || !matches(route.pattern, path, args)) continue;
    if (route.method == method || (route.method == Method::get && method == Method::head)) {
      found.kind = RouteMatch::Kind::found;
      found.id = route.id;
      found.max_body = route.max_body;
      found.args = args;
      return found;
    }
    found.kind = RouteMatch::Kind::wrong_method;
    if (found.allowed_count < found.allowed.size()) found.allowed[found.allowed_count++] = route.method;
  }
  return found;
}

bool split_target(std::string_view target, std::string_view& path, std::string_view& query) noexcept {
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    if (scheme == std::string_view::npos || scheme == 0 || scheme > 8) return false;
    target.remove_prefix(scheme + 3);
    const std::size_t slash = target.find_first_of("/?");
    if (slash == std::string_view::npos || target[slash] == '?') return false;
    target.remove_prefix(slash);
  }
  const std::size_t mark = target.find('?');
  path = target.substr(0, mark);
  query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  return true;
}

std::string_view query_value(std::string_view query, std::string_view name) noexcept {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(part.size() < query.size() ? part.size() + 1 : query.size());
    const std::size_t equals = part.find('=');
    if (part.substr(0, equals) != name) continue;
    return equals == std::string_view::npos ? part.substr(part.size()) : part.substr(equals + 1);
  }
  return {};
}

}  // namespace ts2021
