// SPDX-License-Identifier: BSD-3-Clause
#include "json/handle.h"
#include "json/writer.h"

namespace ts2021::json {
namespace {

namespace dom = simdjson::dom;

// Precondition: `value` is a To.
template <class To>
To handled(dom::element value) noexcept {
  const Handle at = handle(value);
  return as<To>(at.document, at.index);
}

// `plain`: no text in the document needs an escape. As deep as max_depth allows.
template <bool plain>
void write_element(dom::element value, Writer& writer) {
  switch (value.type()) {
    case dom::element_type::NULL_VALUE:
      return writer.null();
    case dom::element_type::BOOL:
      return writer.boolean(value.get_bool().value_unsafe());
    case dom::element_type::INT64:
      return writer.integer(value.get_int64().value_unsafe());
    case dom::element_type::UINT64:
      return writer.integer(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return writer.floating(value.get_double().value_unsafe());
    case dom::element_type::STRING:
      if constexpr (plain) return writer.plain_string(value.get_string().value_unsafe());
      return writer.string(value.get_string().value_unsafe());
    case dom::element_type::ARRAY:
      writer.begin_array();
      for (const dom::element item : handled<dom::array>(value)) write_element<plain>(item, writer);
      return writer.end_array();
    case dom::element_type::OBJECT:
      writer.begin_object();
      for (const dom::key_value_pair member : handled<dom::object>(value)) {
        if constexpr (plain)
          writer.plain_name(member.key);
        else
          writer.name(member.key);
        write_element<plain>(member.value, writer);
      }
      return writer.end_object();
  }
}

}  // namespace

void write(const Value& value, Writer& writer) {
  // Text that was read without a backslash has no control characters and quotes, and is valid UTF-8.
  const auto element = as<dom::element>(value.document_, value.index_);
  value.has_escapes_ ? write_element<false>(element, writer) : write_element<true>(element, writer);
}

std::string written(const Value& value) {
  std::string text;
  {
    Writer writer(text);
    write(value, writer);
  }
  return text;
}

}  // namespace ts2021::json
