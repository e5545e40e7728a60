// SPDX-License-Identifier: BSD-3-Clause
// The faults of one connection: what its peer gets instead of what the connection says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ts2021/admin/fault.h"
#include "ts2021/conn/server_connection.h"
#include "ts2021/conn/tamper.h"

namespace ts2021::admin {

// Stands between a connection, whose Tamper it is, and its socket. The driver tells it of events before it
// deals with them, and sends what output() says instead of the connection's own output:
//
//   connection.next_event() -> on_event()        connection -> output() -> socket -> sent()
//
// Deadlines of the connection stay in force. What peers behind a WebSocket get is not cut into records, so
// that faults of single records pass them by.
class ConnectionFaults final : public Tamper {
 public:
  // The source must outlive it.
  explicit ConnectionFaults(const FaultSource& source);

  void on_event(const ServerEvent& event);

  // What may leave now, in one write; empty: nothing before next_timeout(), new output, or ever. Lives until
  // the next call.
  [[nodiscard]] Bytes output(ServerConnection& connection, Now now);
  void sent(ServerConnection& connection, std::size_t n, Now now);
  // What is left to do when output() is empty.
  enum class End : std::uint8_t {
    none,
    half_close,  // once: the peer's input is still taken
    close,       // in good order
    reset,       // with a RST
  };
  [[nodiscard]] End end() const noexcept;
  void half_closed() noexcept { end_ = End::none; }
  [[nodiscard]] std::optional<Instant> next_timeout() const noexcept;

  [[nodiscard]] Bytes early_payload(Bytes honest) override;
  [[nodiscard]] Bytes before_frame(Bytes head) override;
  [[nodiscard]] Bytes due_frames(Instant now) override;
  [[nodiscard]] MutableBytes received(MutableBytes plaintext) override;

 private:
  // What comes next of the connection's output.
  enum class Part : std::uint8_t { outer, answer, message2, records, opaque, over };

  [[nodiscard]] std::optional<FaultRule> ask(FaultEvent event, std::string_view path = {}) const;
  void begin_tcp(std::optional<FaultRule> rule);

  // raw_ into ready_, part by part; false: it must grow first, or nothing more will come.
  void cut();
  [[nodiscard]] bool cut_answer();
  [[nodiscard]] bool cut_message2();
  [[nodiscard]] bool cut_record();
  void pass(std::size_t n);
  void finish(Bytes last_words);

  void pull(ServerConnection& connection, Now now);
  void confirm(ServerConnection& connection, Now now);
  [[nodiscard]] bool stopped(Now now);

  void take_frame();
  void flush_frame(std::size_t payload);
  void add_frame(std::uint8_t type, std::uint32_t stream, Bytes payload);

  const FaultSource& source_;
  std::optional<MachinePublic> machine_;
  bool websocket_ = false;
  Part part_ = Part::outer;
  std::string path_;                    // of the answer that comes next
  std::optional<FaultRule> handshake_;  // of message 2 and the early payload

  std::vector<std::uint8_t> raw_, ready_;
  std::vector<std::uint8_t> held_;  // a record that leaves behind the next
  std::size_t ready_at_ = 0;        // of ready_, has left
  std::size_t owed_ = 0;            // bytes that the connection does not know to be sent
  End end_ = End::none;

  std::optional<FaultRule> tcp_;
  std::uint64_t left_ = 0;         // bytes until it begins
  std::optional<Instant> resume_;  // nothing leaves before

  std::vector<std::uint8_t> given_;  // what the Tamper's functions return
  std::optional<Instant::duration> open_window_after_;
  std::optional<Instant> open_window_at_;

  // The peer's frames: how much of what is running, and answers to frames that the connection has not sent.
  std::vector<std::uint8_t> inward_;
  std::vector<std::uint8_t> frame_;  // its beginning, until it is known what it is
  std::size_t preface_left_ = 24, payload_left_ = 0;
  std::uint64_t settings_owed_ = 0;
  bool own_settings_answered_ = false;
};

}  // namespace ts2021::admin
