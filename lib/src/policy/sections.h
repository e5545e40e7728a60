// SPDX-License-Identifier: BSD-3-Clause
// Readers of the file's sections, each from its value into the document. False: refused, the value knows why.
#pragma once

#include "policy/document.h"
#include "policy/item.h"

namespace ts2021::policy {

// Definitions; read before all that uses them.
[[nodiscard]] bool read_groups(const Item& section, Document& document);
[[nodiscard]] bool read_hosts(const Item& section, Document& document);
[[nodiscard]] bool read_ipsets(const Item& section, Document& document);  // after the hosts
[[nodiscard]] bool read_tags(const Item& section, Document& document);    // names of tagOwners only

[[nodiscard]] bool read_tag_owners(const Item& section, Document& document);
[[nodiscard]] bool read_approvers(const Item& section, Document& document);
[[nodiscard]] bool read_attributes(const Item& section, Document& document);
[[nodiscard]] bool read_acls(const Item& section, Document& document);
[[nodiscard]] bool read_grants(const Item& section, Document& document);
[[nodiscard]] bool read_ssh(const Item& section, Document& document);

// A list of selectors, appended; each once.
[[nodiscard]] bool read_selectors(const Item& list, Place place, Document& document, Selectors& out);
// The selector of one text.
[[nodiscard]] bool read_selector(std::string_view text, const Item& item, Place place, Document& document,
                                 SelectorId& out);
// {"<capability>": [<value>, ...]}
[[nodiscard]] bool read_capabilities(const Item& object, CapMap& out);

}  // namespace ts2021::policy
