// SPDX-License-Identifier: BSD-3-Clause
// What the doctor prints.
#pragma once

#include <span>
#include <string>

#include "ts2021/doctor/diagnosis.h"
#include "ts2021/doctor/record.h"

namespace ts2021::app {

// One line each; text of the server is made printable.
[[nodiscard]] std::string line(const Record& record);
[[nodiscard]] std::string lines(const Diagnosis& diagnosis, std::span<const Record> walk);
// Walk and diagnosis as one JSON document.
[[nodiscard]] std::string json(std::string_view url, const Diagnosis& diagnosis,
                               std::span<const Record> walk);
// The classes with their exit codes, for --help.
[[nodiscard]] std::string exit_codes();

}  // namespace ts2021::app
