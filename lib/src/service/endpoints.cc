// SPDX-License-Identifier: BSD-3-Clause
#include "service/endpoints.h"

#include "service/handlers.h"

namespace ts2021::service {
namespace {

// THE table. A path that stands in no row is 404, a row's path with another method 405 (both by the
// connection).
constexpr Endpoint table[] = {
    // Outer site: HTTP/1.1. POST and GET /ts2021 belong to the connection itself.
    {Site::outer, Method::get, "/key", 0, &on_key},
    {Site::outer, Method::get, "/health", 0, &on_health},
    boxed_post<&on_register>("/machine/{}"),
    boxed_post<&on_map>("/machine/{}/map"),
    // Inside Noise: HTTP/2.
    noise_post<&on_register>("/machine/register"),
    noise_post<&on_map>("/machine/map"),
    {Site::noise, Method::get, "/health", 0, &on_health},
    {Site::noise, Method::post, "/health", max_json_body, &on_health},
};

}  // namespace

std::span<const Endpoint> endpoints() noexcept { return table; }

}  // namespace ts2021::service
