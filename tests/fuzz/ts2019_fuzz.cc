// SPDX-License-Identifier: BSD-3-Clause
// Any plaintext in a good box, at every path of TS2019 below a machine's key, and the same bytes without a
// box: always an HTTP answer with a known status, and after it the service still serves an honest client. The
// first byte chooses path and wrapping, the rest is the body.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "sim/service_world.h"
#include "ts2021/legacy/nacl_box.h"

using namespace ts2021;

namespace {

struct Keys {
  fuzz::SameEntropy entropy;
  ControlBoxPair server = ControlBoxPair::generate(entropy);
  MachineKeyPair machine = MachineKeyPair::generate(entropy);
  Result<NaclBox> box = NaclBox::between(machine.secret, server.open);
};

std::string sealed(const Keys& keys, Bytes text) {
  static fuzz::SameEntropy entropy(7);
  std::vector<std::uint8_t> whole(NaclBox::overhead + text.size());
  std::copy(text.begin(), text.end(), whole.begin() + NaclBox::overhead);
  TS_EXPECT(keys.box->seal(whole, entropy));
  return {whole.begin(), whole.end()};
}

struct Answer {
  int status;
  std::string body;
};
Answer post(test::World& world, const std::string& path, const std::string& body) {
  test::Pair& pair = world.connect(0, ClientMode::http1);
  world.run();
  const auto stream = pair.client().request({"POST", path, {}}, share(body));
  TS_EXPECT(stream);
  world.run();
  return {pair.statuses[*stream], pair.bodies[*stream]};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static const Keys keys;
  ServiceConfig config;
  config.box = &keys.server;
  config.key.box = keys.server.open;
  test::World world(config);

  const std::uint8_t choice = data[0];
  const std::string own_path = "/machine/" + keys.machine.open.bare_text();
  const auto log_in = [&] {
    const std::string login = R"({"Version":1,"NodeKey":"nodekey:)" + std::string(64, 'a') +
                              R"(","Auth":{"AuthKey":"good-key"},"Hostinfo":{"Hostname":"honest"}})";
    TS_EXPECT(post(world, own_path, sealed(keys, as_bytes(login))).status == 200);
  };
  if ((choice & 0x10) != 0) log_in();  // so that maps have somebody to be for
  constexpr std::array<std::string_view, 4> tails{"", "/map", "/set-dns", "/x"};
  const std::string path = own_path + std::string(tails[choice % 4]);
  const Bytes text(data + 1, size - 1);
  const bool boxed = choice % 8 < 4;
  const Answer answer = post(world, path, boxed ? sealed(keys, text) : std::string(as_text(text)));
  constexpr std::array statuses{200, 400, 404, 405, 429, 500, 501};
  const bool waits = answer.status == 0 && boxed;  // for a login page
  TS_EXPECT(waits || std::find(statuses.begin(), statuses.end(), answer.status) != statuses.end());
  if (!boxed) TS_EXPECT(answer.status != 200);
  if (answer.status == 200 && choice % 4 == 0) {  // whatever is answered to a registration is in a box
    std::vector<std::uint8_t> whole(answer.body.begin(), answer.body.end());
    const auto reply = keys.box->open(whole);
    TS_EXPECT(reply && decode_copy<RegisterResponse>(*reply));
  }

  if ((choice & 0x10) == 0) log_in();
  return 0;
}
