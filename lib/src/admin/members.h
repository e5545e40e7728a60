// SPDX-License-Identifier: BSD-3-Clause
// Reads the body of an admin call: an object whose members are all known, by their exact names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/reader.h"
#include "ts2021/base/time.h"
#include "ts2021/key/key.h"

namespace ts2021::admin {

// take() leaves `out` as it is when the member is absent or of a wrong type; only finish() tells whether the
// whole body is right.
class Members {
 public:
  // An empty body is an object without members. `document` must outlive what is taken.
  Members(json::Document& document, std::string_view body);
  // An object within another; `where` is its name there.
  Members(const json::Value& object, std::string_view where);

  // True when it is there and right.
  bool take(std::string_view name, bool& out);
  bool take(std::string_view name, std::optional<bool>& out);  // null: none
  bool take(std::string_view name, std::string& out);
  bool take(std::string_view name, std::int64_t& out);
  bool take(std::string_view name, Instant::duration& out);
  bool take(std::string_view name, NodePublic& out);
  bool take(std::string_view name, std::vector<std::string>& out);
  bool take(std::string_view name, json::Value& out);  // of any type
  // All that are not known yet, as texts; `use` returns whether it is right.
  template <class Use>
  void take_all(Use use) {
    for (Member& member : members_) {
      std::string_view text;
      if (member.known) continue;
      member.known = true;
      if (!member.value.get(text) || !use(member.name, std::string(text)))
        refuse(member.name, "is not right");
    }
  }
  // Says of a member that it is there and yet not right.
  void refuse(std::string_view name, std::string_view why);
  void require(std::string_view name);
  void fail(const std::string& error) {
    if (error_.empty()) error_ = error;
  }

  // What is wrong, for a person; empty when all is well. Names the first member that is unknown or wrong.
  [[nodiscard]] std::string finish();

 private:
  struct Member {
    std::string_view name;
    json::Value value;
    bool known = false;
  };
  void read(const json::Value& object);
  const json::Value* find(std::string_view name);

  std::string where_;  // with a dot at its end, or empty
  std::vector<Member> members_;
  std::string error_;
};

// The elements of an array of texts; nothing for anything else.
[[nodiscard]] std::optional<std::vector<std::string>> text_list(const json::Value& value);

}  // namespace ts2021::admin
