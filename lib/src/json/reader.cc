// SPDX-License-Identifier: BSD-3-Clause
#include "json/reader.h"

#include <bit>
#include <type_traits>

#include <simdjson.h>

namespace ts2021::json {
namespace {

namespace dom = simdjson::dom;

// All of simdjson's handles are a document and an index into its tape; so are ours.
struct Handle {
  const void* document;
  std::size_t index;
};
template <class T>
T as(const void* document, std::size_t index) noexcept {
  static_assert(sizeof(T) == sizeof(Handle) && std::is_trivially_copyable_v<T>);
  return std::bit_cast<T>(Handle{document, index});
}
template <class T>
Handle handle(const T& of) noexcept {
  static_assert(sizeof(T) == sizeof(Handle) && std::is_trivially_copyable_v<T>);
  return std::bit_cast<Handle>(of);
}

static_assert(padding >= simdjson::SIMDJSON_PADDING);

}  // namespace

bool valid_utf8(Bytes text) noexcept { return simdjson::validate_utf8(as_text(text).data(), text.size()); }

Type Value::type() const noexcept {
  switch (as<dom::element>(document_, index_).type()) {
    case dom::element_type::ARRAY:
      return Type::array;
    case dom::element_type::OBJECT:
      return Type::object;
    case dom::element_type::INT64:
      return Type::integer;
    case dom::element_type::UINT64:
      return Type::integer;
    case dom::element_type::DOUBLE:
      return Type::floating;
    case dom::element_type::STRING:
      return Type::string;
    case dom::element_type::BOOL:
      return Type::boolean;
    case dom::element_type::NULL_VALUE:
      return Type::null;
  }
  return Type::null;
}

bool Value::get(bool& out) const noexcept {
  return as<dom::element>(document_, index_).get(out) == simdjson::SUCCESS;
}
bool Value::get(std::int64_t& out) const noexcept {
  return as<dom::element>(document_, index_).get(out) == simdjson::SUCCESS;
}
bool Value::get(std::uint64_t& out) const noexcept {
  return as<dom::element>(document_, index_).get(out) == simdjson::SUCCESS;
}
bool Value::get(double& out) const noexcept {
  return as<dom::element>(document_, index_).get(out) == simdjson::SUCCESS;
}
bool Value::get(std::string_view& out) const noexcept {
  return as<dom::element>(document_, index_).get(out) == simdjson::SUCCESS;
}

ArrayCursor::ArrayCursor(Value array) noexcept {
  const dom::array items = as<dom::array>(array.document_, array.index_);
  document_ = array.document_;
  index_ = handle(items.begin()).index;
  end_ = handle(items.end()).index;
  count_ = items.size();
}

bool ArrayCursor::next(Value& item) noexcept {
  if (index_ == end_) return false;
  auto at = as<dom::array::iterator>(document_, index_);
  item.document_ = document_;
  item.index_ = handle(*at).index;
  index_ = handle(++at).index;
  return true;
}

ObjectCursor::ObjectCursor(Value object) noexcept {
  const dom::object members = as<dom::object>(object.document_, object.index_);
  document_ = object.document_;
  index_ = handle(members.begin()).index;
  end_ = handle(members.end()).index;
}

bool ObjectCursor::next(std::string_view& name, Value& item) noexcept {
  if (index_ == end_) return false;
  auto at = as<dom::object::iterator>(document_, index_);
  name = at.key();
  item.document_ = document_;
  item.index_ = handle(at.value()).index;
  index_ = handle(++at).index;
  return true;
}

struct Document::Impl {
  dom::parser parser;
};

Document::Document() : impl_(std::make_unique<Impl>()) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Value> Document::parse(Bytes text) noexcept {
  auto& parser = impl_->parser;
  if (parser.max_depth() != max_depth) {
    if (parser.allocate(1024, max_depth) != simdjson::SUCCESS) return fail(Errc::out_of_memory, 500);
  }
  dom::element root;
  const auto status = parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(root);
  if (status == simdjson::CAPACITY) return fail(Errc::limit_exceeded, 501);
  if (status == simdjson::MEMALLOC) return fail(Errc::out_of_memory, 502);
  if (status != simdjson::SUCCESS) return fail(Errc::bad_json, 503, static_cast<std::uint32_t>(status));
  Value value;
  value.document_ = handle(root).document;
  value.index_ = handle(root).index;
  return value;
}

Result<Value> Document::parse_copy(Bytes text) noexcept {
  std::string padded;
  padded.reserve(text.size() + padding);
  padded.append(as_text(text));
  padded.append(padding, '\0');
  return parse(as_bytes(padded).first(text.size()));
}

}  // namespace ts2021::json
