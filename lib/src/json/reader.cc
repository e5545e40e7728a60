// SPDX-License-Identifier: BSD-3-Clause
#include "json/reader.h"

#include <algorithm>

#include "json/handle.h"

namespace ts2021::json {
namespace {

namespace dom = simdjson::dom;

static_assert(padding >= simdjson::SIMDJSON_PADDING);

}  // namespace

bool valid_utf8(Bytes text) noexcept { return simdjson::validate_utf8(as_text(text).data(), text.size()); }

void Value::load(const void* document, std::size_t index, bool has_escapes) noexcept {
  document_ = document;
  index_ = index;
  has_escapes_ = has_escapes;
  const auto element = as<dom::element>(document, index);
  switch (element.type()) {
    case dom::element_type::ARRAY:
      type_ = Type::array;
      return;
    case dom::element_type::OBJECT:
      type_ = Type::object;
      return;
    case dom::element_type::INT64:
      type_ = Type::integer;
      is_big_ = false;
      scalar_.integer = element.get_int64().value_unsafe();
      return;
    case dom::element_type::UINT64:  // only what does not fit into the signed ones
      type_ = Type::integer;
      is_big_ = true;
      scalar_.big = element.get_uint64().value_unsafe();
      return;
    case dom::element_type::DOUBLE:
      type_ = Type::floating;
      scalar_.floating = element.get_double().value_unsafe();
      return;
    case dom::element_type::STRING:
      type_ = Type::string;
      scalar_.text = element.get_c_str().value_unsafe();
      text_size_ = static_cast<std::uint32_t>(element.get_string_length().value_unsafe());
      return;
    case dom::element_type::BOOL:
      type_ = Type::boolean;
      scalar_.boolean = element.get_bool().value_unsafe();
      return;
    case dom::element_type::NULL_VALUE:
      break;
  }
  type_ = Type::null;
}

ArrayCursor::ArrayCursor(const Value& array) noexcept
    : document_(array.document_), has_escapes_(array.has_escapes_) {
  const dom::array items = as<dom::array>(array.document_, array.index_);
  index_ = handle(items.begin()).index;
  end_ = handle(items.end()).index;
  count_ = items.size();
}

bool ArrayCursor::next(Value& item) noexcept {
  if (index_ == end_) return false;
  auto at = as<dom::array::iterator>(document_, index_);
  item.load(document_, handle(*at).index, has_escapes_);
  index_ = handle(++at).index;
  return true;
}

ObjectCursor::ObjectCursor(const Value& object) noexcept
    : document_(object.document_), has_escapes_(object.has_escapes_) {
  const dom::object members = as<dom::object>(object.document_, object.index_);
  index_ = handle(members.begin()).index;
  end_ = handle(members.end()).index;
}

bool ObjectCursor::next(std::string_view& name, Value& item) noexcept {
  if (index_ == end_) return false;
  auto at = as<dom::object::iterator>(document_, index_);
  name = at.key();
  item.load(document_, handle(at.value()).index, has_escapes_);
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
    const std::size_t room = std::clamp(text.size(), std::size_t{64}, simdjson::SIMDJSON_MAXSIZE_BYTES);
    if (parser.allocate(room, max_depth) != simdjson::SUCCESS) return fail(Errc::out_of_memory, 500);
  }
  dom::element root;
  const auto status = parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(root);
  if (status == simdjson::CAPACITY) return fail(Errc::limit_exceeded, 501);
  if (status == simdjson::MEMALLOC) return fail(Errc::out_of_memory, 502);
  if (status != simdjson::SUCCESS) return fail(Errc::bad_json, 503, static_cast<std::uint32_t>(status));
  Value value;
  const bool has_escapes = as_text(text).find('\\') != std::string_view::npos;
  value.load(handle(root).document, handle(root).index, has_escapes);
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
