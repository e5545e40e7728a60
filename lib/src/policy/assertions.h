// SPDX-License-Identifier: BSD-3-Clause
// The sections tests and sshTests: what the rest of the file must and must not allow.
#pragma once

#include "policy/document.h"
#include "policy/item.h"
#include "policy/matcher.h"

namespace ts2021::policy {

// Judged by names alone, without nodes: a user stands for a node of his without tags, a tag for a node that
// bears only it, an address or network for itself. False: one fails or can't be read; the value knows why.
// They are cut off with a refusal when they take too many steps.
[[nodiscard]] bool hold_tests(const Item& section, const Document& document, const Matcher& matcher);
[[nodiscard]] bool hold_ssh_tests(const Item& section, const Document& document, const Matcher& matcher);

}  // namespace ts2021::policy
