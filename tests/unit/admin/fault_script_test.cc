// SPDX-License-Identifier: BSD-3-Clause
// The language of faults: every word, every refusal with its place; and which event a rule fires on.
#include <fstream>
#include <iterator>

#include "support/catch.h"
#include "support/support.h"
#include "ts2021/admin/fault.h"

using namespace ts2021;
using namespace ts2021::admin;

namespace {

std::string refusal(std::string_view script) {
  const auto parsed = FaultBook::parse(script);
  if (parsed) return "taken";
  return std::to_string(parsed.error.line) + ":" + std::to_string(parsed.error.column) + " " +
         parsed.error.message;
}

std::shared_ptr<const FaultBook> book(std::string_view script) {
  auto parsed = FaultBook::parse(script);
  INFO(script << ": " << parsed.error.message);
  REQUIRE(parsed);
  return parsed.book;
}

FaultRule rule(std::string_view script) { return book(script)->rules().front(); }

// What else the kind needs to be complete.
std::string needed(const FaultKind& kind) {
  if (kind.fault == Fault::http_redirect) return R"(, "location": "/elsewhere")";
  if (kind.fault == Fault::api_delay) return R"(, "delay": "1s")";
  return "";
}

std::string script_of(const FaultKind& kind, std::string_view more = {}) {
  return "[{\"layer\": \"" + std::string(kind.layer) + "\", \"fault\": \"" + std::string(kind.word) + "\"" +
         needed(kind) + std::string(more) + "}]";
}

constexpr std::string_view machine_text =
    "mkey:0101010101010101010101010101010101010101010101010101010101010101";
constexpr std::string_view node_text =
    "nodekey:0202020202020202020202020202020202020202020202020202020202020202";
MachinePublic machine() { return *MachinePublic::parse(machine_text); }
NodePublic node() { return *NodePublic::parse(node_text); }

}  // namespace

TEST_CASE("faults: every kind is read by its words, and stands in its place") {
  std::size_t number = 0;
  for (const FaultKind& kind : fault_kinds()) {
    INFO(script_of(kind));
    REQUIRE(static_cast<std::size_t>(kind.fault) == number++);
    const FaultRule read = rule(script_of(kind));
    CHECK(read.fault == kind.fault);
    CHECK(read.event == kind.event);
    CHECK(read.bytes == kind.bytes);
    CHECK((read.nth == 1 && read.every == 0 && read.count == 1 && !read.selects()));
  }
  CHECK(number == static_cast<std::size_t>(Fault::api_stall) + 1);
}

TEST_CASE("faults: every member is read where it belongs and refused elsewhere") {
  struct Row {
    std::string_view name, value;
  };
  const Row rows[] = {{"bytes", "7"},         {"after", "9"},     {"delay", "\"1m500ms\""},
                      {"path", "\"/key\""},   {"status", "499"},  {"retryAfter", "\"5s\""},
                      {"location", "\"/x\""}, {"text", "\"no\""}, {"code", "11"},
                      {"lastStream", "3"},    {"times", "20"},    {"frame", "\"settings\""},
                      {"on", "\"register\""}};
  for (const FaultKind& kind : fault_kinds()) {
    for (const Row& row : rows) {
      if (needed(kind).find("\"" + std::string(row.name) + "\"") != std::string::npos) continue;
      std::string value(row.value);
      if (kind.fault == Fault::http_redirect && row.name == "status") value = "307";
      const std::string script = script_of(kind, ", \"" + std::string(row.name) + "\": " + value);
      INFO(script);
      const bool belongs =
          (" " + std::string(kind.members)).find(" " + std::string(row.name) + " ") != std::string::npos;
      const std::string told = refusal(script);
      if (belongs)
        CHECK(told == "taken");
      else
        CHECK(told.ends_with(" unknown member \"" + std::string(row.name) + "\""));
    }
  }
  const auto all = [](std::string_view kind, std::string_view more) {
    return rule("[{" + std::string(kind) + "," + std::string(more) + "}]");
  };
  const FaultRule split = all(R"("layer":"tcp","fault":"split")", R"("bytes":7,"delay":"250ms")");
  CHECK((split.bytes == 7 && split.delay == std::chrono::milliseconds{250}));
  CHECK(all(R"("layer":"tcp","fault":"reset")", R"("after":9)").after == 9);
  const FaultRule status =
      all(R"("layer":"http","fault":"status")", R"("path":"/key","status":503,"retryAfter":"2m")");
  CHECK((status.path == "/key" && status.status == 503 && status.retry_after == std::chrono::minutes{2}));
  CHECK(all(R"("layer":"http","fault":"redirect")", R"("location":"/x")").location == "/x");
  CHECK(all(R"("layer":"http","fault":"redirect")", R"("location":"/x")").status == 302);
  CHECK(rule(R"([{"layer":"http","fault":"wrong-key"}])").path == "/key");
  CHECK(all(R"("layer":"noise","fault":"error-record")", R"("text":"no")").text == "no");
  const FaultRule goaway = all(R"("layer":"http2","fault":"goaway")", R"("code":11,"lastStream":3)");
  CHECK((goaway.code == 11 && goaway.last_stream == 3));
  const FaultRule flood = all(R"("layer":"http2","fault":"flood")", R"("times":20,"frame":"settings")");
  CHECK((flood.times == 20 && flood.settings));
  const FaultRule chosen =
      all(R"("layer":"api","fault":"hold")", R"("nth":3,"every":2,"count":0,"on":"other")");
  CHECK((chosen.nth == 3 && chosen.every == 2 && chosen.count == 0 &&
         chosen.event == FaultEvent::other_request));
  CHECK(all(R"("layer":"api","fault":"drop")", R"("on":"frame")").event == FaultEvent::frame);
  const FaultRule theirs =
      rule("[{\"layer\":\"noise\",\"fault\":\"corrupt\",\"machine\":\"" + std::string(machine_text) +
           "\",\"node\":\"" + std::string(node_text) + "\"}]");
  CHECK((theirs.machine == machine() && theirs.node == node()));
}

TEST_CASE("faults: a script may have comments and trailing commas, and no rules") {
  CHECK(book("[]")->rules().empty());
  CHECK(book("// nothing\n[\n  /* here */\n  {\"layer\": \"tcp\", \"fault\": \"reset\",},\n]")
            ->rules()
            .size() == 1);
}

TEST_CASE("faults: what is wrong is told with its place") {
  struct Row {
    std::string_view script, told;
  };
  const Row rows[] = {
      {"", "1:1 neither JSON nor a comment nor a trailing comma, or nested too deep"},
      {"{}", "1:1 expected a list, found an object"},
      {"[1]", "1:2 expected an object, found a number"},
      {"[]\n/*", "2:1 this comment never ends"},
      {"[\"", "1:2 this text never ends"},
      {"[{}]", "1:2 a rule needs a layer"},
      {R"([{"layer":"tcp"}])", "1:2 a rule needs a fault"},
      {"[{\"layer\":\"tcp\",\"fault\":\"reset\"},\n {\"layer\":\"udp\",\"fault\":\"reset\"}]",
       "2:11 unknown layer \"udp\""},
      {R"([{"fault":"corrupt","layer":"tcp"}])", "1:11 unknown fault \"corrupt\" of layer \"tcp\""},
      {R"([{"layer":"tcp","fault":"reset","nht":1}])", "1:33 unknown member \"nht\""},
      {R"([{"layer":"tcp","fault":"reset","nth":1,"nth":2}])", "1:41 \"nth\" is there twice"},
      {R"([{"layer":7,"fault":"reset"}])", "1:11 expected text, found a number"},
      {R"([{"layer":"tcp","fault":[]}])", "1:25 expected text, found a list"},
      {R"([{"layer":"tcp","fault":"reset","nth":0}])", "1:39 not a number from 1 to 9007199254740992"},
      {R"([{"layer":"tcp","fault":"reset","count":-1}])", "1:41 expected a whole number, found a number"},
      {R"([{"layer":"tcp","fault":"reset","every":"2"}])", "1:41 expected a whole number, found text"},
      {R"([{"layer":"tcp","fault":"stall","delay":"5"}])", "1:41 not a duration like 250ms, 5s or 2m: \"5\""},
      {R"([{"layer":"tcp","fault":"split","bytes":0}])", "1:41 not a number from 1 to 4294967295"},
      {R"([{"layer":"tcp","fault":"reset","node":"mkey:00"}])", "1:40 not a node key: \"mkey:00\""},
      {R"([{"layer":"tcp","fault":"reset","machine":"x"}])", "1:43 not a machine key: \"x\""},
      {R"([{"layer":"http","fault":"status","status":200}])", "1:44 not a number from 400 to 599"},
      {R"([{"layer":"http","fault":"redirect","status":200}])", "1:46 not a number from 300 to 399"},
      {R"([{"layer":"http","fault":"redirect"}])", "1:2 a redirect needs a location"},
      {"[{\"layer\":\"http\",\"fault\":\"redirect\",\"location\":\"a\\r\\nb\"}]",
       "1:48 not 1 to 1024 printable characters without a space"},
      {R"([{"layer":"http","fault":"status","path":"key"}])", "1:2 a path begins with a slash"},
      {R"([{"layer":"http","fault":"status","path":""}])",
       "1:42 not 1 to 256 printable characters without a space"},
      {R"([{"layer":"early","fault":"garbage","bytes":70000}])", "1:2 at most 65536 bytes of garbage"},
      {R"([{"layer":"http2","fault":"flood","frame":"data"}])", "1:43 unknown frame \"data\""},
      {R"([{"layer":"http2","fault":"flood","times":10001}])", "1:43 not a number from 1 to 10000"},
      {R"([{"layer":"api","fault":"delay"}])", "1:2 this fault needs a delay"},
      {R"([{"layer":"api","fault":"drop","on":"dns"}])", "1:37 unknown event \"dns\""},
      {R"([{"layer":"api","fault":"hold","on":"frame"}])",
       "1:37 only a request can have this fault, not a frame"},
      {R"([{"layer":"api","fault":"status","on":"frame"}])",
       "1:39 only a request can have this fault, not a frame"},
  };
  for (const Row& row : rows) {
    INFO(row.script);
    CHECK(refusal(row.script) == row.told);
  }
  for (const std::string_view fault : {R"("fault":"wrong-key")", R"("fault":"status","path":"/key")"}) {
    const std::string script =
        "[{\"layer\":\"http\"," + std::string(fault) + ",\"machine\":\"" + std::string(machine_text) + "\"}]";
    CHECK(refusal(script) == "1:2 who asks for \"/key\" is not known: no node or machine here");
  }
  std::string many = "[";
  for (int i = 0; i < 1001; ++i) many += "{\"layer\":\"tcp\",\"fault\":\"reset\"},";
  CHECK(refusal(many + "]").ends_with(" more than 1000 rules"));
  CHECK(refusal(std::string(FaultBook::max_size + 1, ' ')) == "1:1 the script has more than 1 MiB");
  CHECK(refusal("[{\"layer\":\"noise\",\"fault\":\"error-record\",\"text\":\"" + std::string(1025, 'x') +
                "\"}]") == "1:49 more than 1024 bytes");
}

TEST_CASE("faults: nth, every and count choose among the events") {
  const auto fired = [](std::string_view more) {
    const auto b = book("[{\"layer\":\"noise\",\"fault\":\"corrupt\"" + std::string(more) + "}]");
    std::string out;
    for (int i = 0; i < 10; ++i) out += b->ask({FaultEvent::record}) ? 'x' : '.';
    const auto tally = b->tally(0);
    CHECK(tally.seen == 10);
    CHECK(tally.fired == static_cast<std::uint64_t>(std::count(out.begin(), out.end(), 'x')));
    return out;
  };
  CHECK(fired("") == "x.........");
  CHECK(fired(",\"nth\":3") == "..x.......");
  CHECK(fired(",\"nth\":3,\"count\":2") == "..xx......");
  CHECK(fired(",\"nth\":3,\"count\":0") == "..xxxxxxxx");
  CHECK(fired(",\"every\":3,\"count\":0") == "x..x..x..x");
  CHECK(fired(",\"nth\":2,\"every\":4,\"count\":2") == ".x...x....");
  CHECK(fired(",\"nth\":11") == "..........");
}

TEST_CASE("faults: rules are asked in order, and those behind the one that fires have not seen the event") {
  const auto b = book(R"([{"layer":"noise","fault":"corrupt","nth":2},{"layer":"noise","fault":"truncate"},
                          {"layer":"noise","fault":"wrong-key"}])");
  const auto* first = b->ask({FaultEvent::record});
  REQUIRE(first);
  CHECK(first->fault == Fault::noise_truncate);
  const auto* second = b->ask({FaultEvent::record});
  REQUIRE(second);
  CHECK(second->fault == Fault::noise_corrupt);
  CHECK(b->ask({FaultEvent::record}) == nullptr);
  CHECK((b->tally(0).seen == 3 && b->tally(1).seen == 2 && b->tally(2).seen == 0));
}

TEST_CASE("faults: a rule of one node or machine sees nobody else's events") {
  const std::string of_machine = "\"machine\":\"" + std::string(machine_text) + "\"",
                    of_node = "\"node\":\"" + std::string(node_text) + "\"";
  test::SeededEntropy entropy(7);
  const MachinePublic other = MachineKeyPair::generate(entropy).open;
  const NodePublic stranger = KeyPair<KeyKind::node>::generate(entropy).open;

  const auto machines = book("[{\"layer\":\"noise\",\"fault\":\"corrupt\"," + of_machine + "}]");
  CHECK_FALSE(machines->ask({FaultEvent::record}));
  CHECK_FALSE(machines->ask({FaultEvent::record, other}));
  CHECK(machines->ask({FaultEvent::record, machine()}));
  CHECK(machines->tally(0).seen == 1);

  // Where no node is told, its machine counts, once it is known.
  const auto nodes = book("[{\"layer\":\"noise\",\"fault\":\"corrupt\"," + of_node + "}]");
  CHECK_FALSE(nodes->ask({FaultEvent::record, machine()}));
  nodes->learn(stranger, other);
  CHECK_FALSE(nodes->ask({FaultEvent::record, other}));
  nodes->learn(node(), machine());
  CHECK_FALSE(nodes->ask({FaultEvent::record, other}));
  CHECK(nodes->ask({FaultEvent::record, machine()}));

  // A machine may have several nodes.
  const auto maps = book("[{\"layer\":\"map\",\"fault\":\"bad-zstd\"," + of_node + "}]");
  maps->learn(node(), machine());
  CHECK_FALSE(maps->ask({FaultEvent::frame, machine(), stranger}));
  CHECK(maps->ask({FaultEvent::frame, machine(), node()}));
}

TEST_CASE("faults: a connection counts when it is made, for a rule of one machine when that is known") {
  const auto anybody = book(R"([{"layer":"tcp","fault":"reset"}])");
  CHECK_FALSE(anybody->ask({FaultEvent::connection, machine()}));
  CHECK(anybody->ask({FaultEvent::connection}));
  const auto one =
      book("[{\"layer\":\"tcp\",\"fault\":\"reset\",\"machine\":\"" + std::string(machine_text) + "\"}]");
  CHECK_FALSE(one->ask({FaultEvent::connection}));
  CHECK(one->ask({FaultEvent::connection, machine()}));
}

TEST_CASE("faults: an answer of the outer site counts for its path only") {
  const auto b = book(R"([{"layer":"http","fault":"status","path":"/key"}])");
  CHECK_FALSE(b->ask({FaultEvent::outer_answer, {}, {}, "/ts2021"}));
  CHECK(b->ask({FaultEvent::outer_answer, {}, {}, "/key"}));
}

TEST_CASE("faults: a book is written as it was read, with its counters") {
  const auto b = book(
      "[ {\"layer\" : \"noise\", \"fault\":\"corrupt\", \"nth\": 2 /* second */}, "
      "{\"layer\":\"tcp\",\"fault\":\"split\"} ]");
  (void)b->ask({FaultEvent::record});
  (void)b->ask({FaultEvent::record});
  CHECK(b->json() == R"([{"layer":"noise","fault":"corrupt","nth":2,"seen":2,"fired":1},)"
                     R"({"layer":"tcp","fault":"split","seen":0,"fired":0}])");
}

TEST_CASE("faults: the page of the language and the table of reactions name every kind") {
  const auto text_of = [](const std::string& name) {
    std::ifstream in(std::string(TS2021_TEST_DATA) + "/../../" + name);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  };
  const std::string page = text_of("lib/FAULTS.md"), table = text_of("tests/interop/FAULTS.md");
  for (const FaultKind& kind : fault_kinds()) {
    const std::string cells = "| " + std::string(kind.layer) + " | " + std::string(kind.word) + " |";
    INFO(cells);
    CHECK(page.find(cells) != std::string::npos);
    CHECK(table.find(cells) != std::string::npos);
  }
}
