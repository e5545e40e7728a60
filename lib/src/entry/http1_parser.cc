// SPDX-License-Identifier: BSD-3-Clause
#include "entry/http1_parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/throw_exception.hpp>
#include <cstdlib>

namespace boost {
// Beast reports through error codes; what would throw is a bug. Weak: a program without exceptions may have
// its own.
__attribute__((weak)) void throw_exception(const std::exception&) { std::abort(); }
__attribute__((weak)) void throw_exception(const std::exception&, const source_location&) { std::abort(); }
}  // namespace boost

namespace ts2021::entry {
namespace {

namespace http = boost::beast::http;
using Code = boost::beast::error_code;
using Text = boost::beast::string_view;

std::string_view view(Text text) noexcept { return {text.data(), text.size()}; }

}  // namespace

// Where the two instantiations of Beast's parser put what they find.
class MessageParser::Beast {
 public:
  virtual ~Beast() = default;
  virtual std::size_t put(Bytes in, Code& code) = 0;
  virtual void put_end(Code& code) = 0;
  [[nodiscard]] virtual bool done() const = 0;
  [[nodiscard]] virtual bool keep_alive() const = 0;
  [[nodiscard]] virtual bool until_end() const = 0;

  MessageHead* head = nullptr;
  std::vector<std::uint8_t>* body = nullptr;
  std::size_t* room = nullptr;
  std::size_t max_headers = 0;
  bool head_done = false, too_many = false, too_much = false;
};

template <bool is_request>
class MessageParser::BeastOf final : public Beast, private http::basic_parser<is_request> {
  using Parser = http::basic_parser<is_request>;

 public:
  explicit BeastOf(bool skip_body) {
    Parser::eager(true);
    Parser::skip(skip_body);
    // Both limits are ours to keep.
    Parser::header_limit(std::numeric_limits<std::uint32_t>::max());
    Parser::body_limit(std::numeric_limits<std::uint64_t>::max());
  }
  std::size_t put(Bytes in, Code& code) override {
    return Parser::put(boost::asio::const_buffer(in.data(), in.size()), code);
  }
  void put_end(Code& code) override { Parser::put_eof(code); }
  bool done() const override { return Parser::is_done(); }
  bool keep_alive() const override { return Parser::keep_alive(); }
  bool until_end() const override { return Parser::need_eof(); }

 private:
  void on_request_impl(http::verb, Text method, Text target, int version, Code&) override {
    this->head->method = view(method);
    this->head->target = view(target);
    this->head->http11 = version == 11;
  }
  void on_response_impl(int status, Text, int version, Code&) override {
    this->head->status = status;
    this->head->http11 = version == 11;
  }
  void on_field_impl(http::field, Text name, Text value, Code& code) override {
    if (this->head_done) return;  // trailers are read and dropped
    if (this->head->headers.size() >= this->max_headers) {
      this->too_many = true;
      code = http::error::header_limit;
      return;
    }
    this->head->headers.push_back({view(name), view(value)});
  }
  void on_header_impl(Code&) override { this->head_done = true; }
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Code&) override {}
  std::size_t on_body_impl(Text text, Code& code) override { return take(text, code); }
  void on_chunk_header_impl(std::uint64_t size, Text, Code& code) override {
    if (size > *this->room) refuse(code);
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text text, Code& code) override { return take(text, code); }
  void on_finish_impl(Code&) override {}

  std::size_t take(Text text, Code& code) {
    if (text.size() > *this->room) {
      refuse(code);
      return 0;
    }
    *this->room -= text.size();
    const Bytes bytes = as_bytes(view(text));
    this->body->insert(this->body->end(), bytes.begin(), bytes.end());
    return text.size();
  }
  void refuse(Code& code) {
    this->too_much = true;
    code = http::error::body_limit;
  }
};

MessageParser::MessageParser(Kind kind, std::size_t max_headers) {
  if (kind == Kind::request)
    beast_ = std::make_unique<BeastOf<true>>(false);
  else
    beast_ = std::make_unique<BeastOf<false>>(kind == Kind::answer_to_head);
  beast_->max_headers = max_headers;
}
MessageParser::~MessageParser() = default;
MessageParser::MessageParser(MessageParser&&) noexcept = default;
MessageParser& MessageParser::operator=(MessageParser&&) noexcept = default;

Result<void> MessageParser::parse_head(MutableBytes buffer) {
  beast_->head = &head_;
  Code code;
  const std::size_t used = beast_->put(buffer, code);
  if (beast_->too_many) return fail(Errc::limit_exceeded, 320, 431);  // ENT-9
  if (code || used != buffer.size() || !beast_->head_done) return fail(Errc::bad_http_head, 321, 400);
  for (const Header& header : head_.headers) {
    auto* const name = buffer.data() + (as_bytes(header.name).data() - buffer.data());
    for (std::size_t i = 0; i < header.name.size(); ++i)
      if (name[i] >= 'A' && name[i] <= 'Z') name[i] = static_cast<std::uint8_t>(name[i] + 32);
  }
  return judge_head();
}

// The framing of the body must have one reading only. ENT-10
Result<void> MessageParser::judge_head() {
  const Header* size = nullptr;
  const Header* coding = nullptr;
  for (const Header& header : head_.headers) {
    const Header** const slot = header.name == "content-length"      ? &size
                                : header.name == "transfer-encoding" ? &coding
                                                                     : nullptr;
    if (!slot) continue;
    if (*slot) return fail(Errc::bad_http_head, 322, 400);
    *slot = &header;
  }
  if (size && coding) return fail(Errc::bad_http_head, 323, 400);
  if (coding) {
    if (!head_.http11) return fail(Errc::bad_http_head, 324, 400);
    if (!same_token(coding->value, "chunked")) return fail(Errc::bad_http_head, 325, 501);
  }
  if (size) {
    if (size->value.empty() || size->value.size() > 18) return fail(Errc::bad_http_head, 326, 400);
    for (const char c : size->value) {
      if (c < '0' || c > '9') return fail(Errc::bad_http_head, 327, 400);
      head_.body_size = head_.body_size * 10 + static_cast<unsigned>(c - '0');
    }
  }
  head_.keep_alive = beast_->keep_alive();
  if (beast_->done())
    head_.body = BodyKind::none;
  else
    head_.body = coding ? BodyKind::chunked : size ? BodyKind::sized : BodyKind::until_end;
  return {};
}

Result<std::size_t> MessageParser::parse_body(Bytes in, std::vector<std::uint8_t>& body) {
  if (beast_->done() || in.empty()) return std::size_t{0};
  beast_->head = &head_;
  beast_->body = &body;
  beast_->room = &room_;
  std::size_t used = 0;
  while (used < in.size() && !beast_->done()) {
    Code code;
    const std::size_t now = beast_->put(in.subspan(used), code);
    used += now;
    if (code == http::error::need_more) break;
    if (beast_->too_much) return fail(Errc::limit_exceeded, 328, 413);
    if (code) return fail(Errc::bad_http_body, 329, 400);
    if (now == 0) break;
  }
  return used;
}

Result<void> MessageParser::parse_end() {
  if (done()) return {};
  if (!beast_->head_done || !beast_->until_end()) return fail(Errc::truncated, 330);
  Code code;
  beast_->put_end(code);
  if (code) return fail(Errc::bad_http_body, 331);
  return {};
}

bool MessageParser::done() const noexcept { return beast_->done(); }

}  // namespace ts2021::entry
