// SPDX-License-Identifier: BSD-3-Clause
#include "ts2021/doctor/reach.h"

#include <arpa/inet.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "ts2021/doctor/certificate.h"
#include "ts2021/doctor/timed.h"

namespace ts2021::app {
namespace {

// "localhost", loopback and private addresses: there the official client uses plain HTTP only.
bool is_private(const std::string& host) {
  if (host == "localhost" || host == "::1") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    const std::uint32_t address = ntohl(v4.s_addr);
    return address >> 24 == 127 || address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8;
  }
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && (v6.s6_addr[0] & 0xfe) == 0xfc;
}

}  // namespace

ClientPorts client_ports(const ControlUrl& url) {
  if (url.tls) return {80, url.endpoint.port};
  if (is_private(url.endpoint.host)) return {url.endpoint.port, std::nullopt};
  return {url.endpoint.port, 443};
}

Reach::Reach(ControlUrl url, DialOptions options, const ClientPorts& ports)
    : url_(std::move(url)), options_(std::move(options)), ports_(ports) {}

bool Reach::has(Way way) const noexcept { return socket_way(way) == Way::plain || ports_.tls.has_value(); }

bool Reach::open(Way way) const noexcept {
  const Way socket = socket_way(way);
  return answers(way) && (socket == Way::plain || tls_works_);
}

Endpoint Reach::endpoint(Way way) const {
  return {url_.endpoint.host, socket_way(way) == Way::plain ? ports_.plain : ports_.tls.value_or(443)};
}

std::string Reach::host(Way way) const { return endpoint(way).text(); }

Record Reach::look_up() {
  return timed({.hop = Hop::name}, [&](Record& record) {
    try {
      for (const Address& address : app::look_up(url_.endpoint)) {
        std::string text = address.text.substr(0, address.text.rfind(':'));
        record.fact += (record.fact.empty() ? "" : ", ") + text;
        record.details.push_back(std::move(text));
      }
    } catch (const std::runtime_error& error) {
      record.verdict = Verdict::failed;
      record.what = What::no_address;
      record.fact = error.what();
    }
  });
}

Record Reach::knock(Way way) {
  return timed({.hop = Hop::port, .way = way}, [&](Record& record) {
    std::string failures;
    const auto fail = [&](What what, const std::string& text) {
      if (record.what == What::fine) record.what = what;
      failures += (failures.empty() ? "" : "; ") + text;
      record.details.push_back(text);
    };
    try {
      for (const Address& address : app::look_up(endpoint(way))) try {
          (void)connect_to(address, static_cast<int>(options_.timeout.count()));
          record.details.push_back(address.text + ": answers");
          answering_.try_emplace(way, address);
        } catch (const std::system_error& error) {
          fail(error.code().value() == ECONNREFUSED ? What::nobody_listens : What::no_route, error.what());
        }
    } catch (const std::runtime_error& error) {
      fail(What::no_route, error.what());  // the name has lost its addresses meanwhile
    }
    if (answering_.count(way) == 0) {
      record.verdict = failure(way);
      record.fact = failures;
      if (way != own_way())
        record.fact += url_.tls ? "; clients go on with TLS"
                                : "; a client that comes back within two minutes tries only this";
      return;
    }
    record.fact = answering_[way].text;
    if (failures.empty()) return;
    record.verdict = Verdict::warning;  // clients take the address that answers
    record.fact += "; " + failures;
  });
}

Record Reach::shake_hands() {
  return timed({.hop = Hop::tls, .way = Way::tls}, [&](Record& record) {
    try {  // what /key is asked for by; /ts2021 is asked for without ALPN
      ByteStream stream = dial(Way::tls, {"h2", "http/1.1"});
      record.alpn = selected_alpn(stream.tls()->handle());
    } catch (const std::runtime_error&) {  // told by the next one
    }
    try {
      ByteStream stream = dial(Way::tls);
      tls_works_ = true;
      judge_certificate(stream.tls()->handle(), record);
      if (record.what != What::fine)
        record.verdict = options_.insecure ? Verdict::warning : failure(Way::tls);
    } catch (const std::runtime_error& error) {
      record.fact = error.what();
      record.verdict = failure(Way::tls);
      const auto told = [&](const char* words) { return record.fact.find(words) != std::string::npos; };
      record.what = told("wrong version number") ? What::not_tls
                    : told("in time")            ? What::silence
                                                 : What::tls_failed;
    }
  });
}

bool Reach::speaks_tls(Way way) const {
  DialOptions options = options_;
  options.insecure = true;
  options.alpn.clear();
  try {
    Fd socket = connect_to(answering_.at(way), static_cast<int>(options.timeout.count()));
    (void)start_tls(std::move(socket), url_.endpoint.host, options);
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

ByteStream Reach::dial(Way way, std::vector<std::string> alpn) const {
  const Way socket_is = socket_way(way);
  Fd socket = connect_to(answering_.at(socket_is), static_cast<int>(options_.timeout.count()));
  if (socket_is == Way::plain) return ByteStream(std::move(socket));
  DialOptions options = options_;
  options.insecure = true;
  options.alpn = std::move(alpn);
  return start_tls(std::move(socket), url_.endpoint.host, options);
}

}  // namespace ts2021::app
