// SPDX-License-Identifier: BSD-3-Clause
// The numbers by which coordination names things. All start at 1; 0 is "none".
#pragma once

#include <cstdint>

namespace ts2021 {

enum class NodeId : std::uint64_t {};     // on the wire; at most 2^53 - 1, never reused
enum class UserId : std::uint64_t {};     // on the wire; at most 2^53 - 1
enum class SessionId : std::uint64_t {};  // one Noise connection, named by the caller
enum class CallId : std::uint64_t {};     // one request of a session, named by the caller; opaque here
enum class Revision : std::uint64_t {};   // of the store; 0: "does not exist" or "from the beginning"
enum class Ticket : std::uint64_t {};     // of work given to a store
enum class ViewClass : std::uint32_t {};  // nodes with the same view of the network

enum class Capability : std::uint16_t;  // msg/capability.h

}  // namespace ts2021
