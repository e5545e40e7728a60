// SPDX-License-Identifier: BSD-3-Clause
#include "service/boxed.h"

#include <algorithm>

#include "ts2021/msg/map_frame.h"

namespace ts2021::service {

std::optional<OpenedBody> open_body(Call& call) {
  const auto refuse = [&](int status, std::string_view why) {
    call.reply_text(status, why);
    return std::nullopt;
  };
  const auto machine = MachinePublic::parse_bare(call.request.args[0]);
  // What has a row inside Noise only is unknown out here, like any other path.
  if (!machine && match_route(ControlService::routes(), Site::noise, Method::post, call.request.path).kind !=
                      RouteMatch::Kind::unknown)
    return refuse(404, "not found");
  if (!call.config.box) return refuse(501, "TS2019 is switched off");
  if (!machine) return refuse(400, "bad machine key hex");
  std::shared_ptr<const NaclBox> box = call.boxes.find(*machine);
  if (!box) {
    if (!call.session.box_keys.take(call.now.mono)) return refuse(429, "too many machines at once");  // BOX-6
    auto made = NaclBox::between(call.config.box->secret, *machine);
    if (!made) return refuse(400, "bad machine key");  // BOX-3: before any box is opened
    box = std::make_shared<const NaclBox>(*std::move(made));
  }
  std::vector<std::uint8_t> whole(call.request.body.begin(), call.request.body.end());
  const auto plain = box->open(whole);
  if (!plain) return refuse(400, "Cannot decode message");
  call.boxes.keep(*machine, box);

  Session& session = call.session;
  if (session.opened &&
      session.machine != *machine) {  // a connection of several machines: one after the other
    call.inputs.push_back(coord_input::Gone{call.id});
    session.opened = false;
  }
  session.machine = *machine;
  call.proven = true;
  call.box = std::move(box);
  session.trace_unboxed({trace::Way::in, call.stream, *machine, false, *plain});
  OpenedBody body{{}, plain->size()};
  body.padded.reserve(plain->size() + decode_padding);
  body.padded.assign(plain->begin(), plain->end());
  body.padded.resize(plain->size() + decode_padding);
  return body;
}

SharedBytes seal_answer(const NaclBox& box, Bytes json, Entropy& entropy) {
  std::vector<std::uint8_t> whole(NaclBox::overhead + json.size());
  std::copy(json.begin(), json.end(), whole.begin() + NaclBox::overhead);
  (void)box.seal(whole, entropy);
  return share(std::move(whole));
}

SharedBytes seal_map_message(const NaclBox& box, const std::vector<SharedBytes>& pieces, Entropy& entropy) {
  std::size_t size = 0;
  for (const SharedBytes& piece : pieces) size += piece->size();
  std::vector<std::uint8_t> whole(NaclBox::overhead +
                                  size);  // prefix 4, box overhead, the text without its prefix
  std::size_t at = NaclBox::overhead;
  for (const SharedBytes& piece : pieces) {
    std::copy(piece->begin(), piece->end(), whole.begin() + static_cast<std::ptrdiff_t>(at));
    at += piece->size();
  }
  // The old prefix lies where the end of the box's overhead belongs.
  store_u32le(whole, static_cast<std::uint32_t>(whole.size() - map_prefix_size));
  (void)box.seal(MutableBytes(whole).subspan(map_prefix_size), entropy);
  return share(std::move(whole));
}

}  // namespace ts2021::service
