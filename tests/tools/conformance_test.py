# SPDX-License-Identifier: BSD-3-Clause
"""ts2021 conformance: our own server passes every rule, and servers with defects are caught by the right one."""

import concurrent.futures
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import unittest

RELAY = sys.argv.pop(3)  # before programs.py looks at the arguments

from programs import Daemon, main, run_client  # noqa: E402

RELAYS = {"Regions": {"1": {"RegionID": 1, "RegionCode": "a", "RegionName": "A", "Nodes": [
    {"Name": "1a", "RegionID": 1, "HostName": "derp.example.com"}]}}}


def conformance(url, *arguments, key="test-key", timeout=280):
    done = run_client("conformance", url, "--json", "--auth-key", key, *arguments, timeout=timeout)
    report = json.loads(done.stdout) if done.stdout else None
    return done, report


def by_verdict(report, *verdicts):
    return {one["check"]: one for one in report["checks"] if one["verdict"] in verdicts}


class OwnServer(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = os.path.join(cls.folder.name, "derp.json")
        with open(path, "w") as file:
            json.dump(RELAYS, file)
        cls.flags = ("--derp-map", path)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def passes(self, url, *arguments, skipped=(), not_applicable=()):
        done, report = conformance(url, *arguments)
        bad = by_verdict(report, "FAIL", "differs")
        self.assertEqual(bad, {}, json.dumps(bad, indent=1))
        self.assertEqual(done.returncode, 0, done.stderr)
        missed = {check: one["got"] for check, one in by_verdict(report, "skipped").items()
                  if not any(fnmatch.fnmatch(check, glob) for glob in skipped)}
        self.assertEqual(missed, {})
        unused = {check: one["got"] for check, one in by_verdict(report, "n/a").items()
                  if not any(fnmatch.fnmatch(check, glob) for glob in not_applicable)}
        self.assertEqual(unused, {})
        self.assertEqual(report["left"], [])
        return report

    def test_every_rule_in_the_clear(self):
        with Daemon(*self.flags) as daemon:
            report = self.passes(daemon.url, skipped=["slow.*"], not_applicable=["register.url"])
        self.assertGreater(len(report["checks"]), 110)
        self.assertGreater(report["summary"]["pass"], 105)

    def test_every_rule_with_logins(self):
        with Daemon("--login-page", *self.flags) as daemon:
            report = self.passes(daemon.url, "--rule", "register.*")
        self.assertEqual(report["summary"]["pass"], len(report["checks"]))

    def test_every_rule_with_https_and_without_ts2019(self):
        with tempfile.TemporaryDirectory() as folder, \
                Daemon("--tls-self-signed", folder, "--no-ts2019", "--tls-listen", "127.0.0.1:0",
                       *self.flags) as daemon:
            report = self.passes(daemon.url, "--ca", daemon.ready["ca"],
                                 skipped=["slow.*", "ts2019.*", "key.differ"], not_applicable=["register.url"])
        self.assertEqual(report["summary"]["skipped"], 12)

    def test_what_takes_a_minute(self):
        with Daemon(*self.flags) as daemon:
            report = self.passes(daemon.url, "--slow", "--rule", "slow.*")
        self.assertEqual(report["summary"]["pass"], 3)

    def test_in_test_mode(self):
        with Daemon("--test-mode") as daemon:
            done, report = conformance(daemon.url, "--rule", "map.*", "--rule", "register.*")
        self.assertEqual(by_verdict(report, "FAIL"), {})


def words(text):
    return "".join("\\x%02x" % byte for byte in text.encode())


class Relay:
    """A server with a defect, in front of a good one."""

    def __init__(self, daemon, arguments):
        self.process = subprocess.Popen([RELAY, daemon.http_url, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def swap(way, text, other=None):
    """The substitution that makes a word another of the same length."""
    other = "x" * len(text) if other is None else other.ljust(len(text))
    return [way, words(text) + "=" + words(other)]


def defect(name):
    return ["--defect", name]


# What goes wrong, and the checks that have to notice: they fail, or differ where a rule is `should`.
DEFECTS = {
        # The key.
    "a member is missing": (swap("--head", "legacyPublicKey"), ["key.members"]),
    "keys in upper case": (swap("--head", '"publicKey":"mkey:', '"publicKey":"MKEY:'), ["key.json", "key.text"]),
    "a bare key of 63 digits": (swap("--head", "Content-Length: 64", "Content-Length: 63"), ["key.bare"]),
    "to be stored": (swap("--head", "Cache-Control", "Cache-Comment"), ["key.no-store"]),
    "no number is fine": (swap("--head", "HTTP/1.1 400 Bad Request", "HTTP/1.1 500 Bad Request"),
                          ["key.number"]),
    "gzip": (["--head", words("Cache-Control: no-store") + "=" + words("Content-Encoding: gzip ")], ["key.small"]),
    "no absolute form": (swap("--up", "elsewhere.example.com/key", "elsewhere.example.com/kez"), ["key.absolute"]),
    "version 27 is new": (swap("--up", "v=27", "v=39"), ["key.old"]),
    "equal keys": (defect("equal-keys"), ["key.differ"]),
    "two zero keys": (defect("zero-key") + swap("--head", "legacyPublicKey", "legacyPublicKez"), ["key.zeros"]),
    "no keys": (swap("--head", "HTTP/1.1 200", "HTTP/1.1 500"), ["key.json", "key.twice", "key.keep-alive"]),
    "no registrations of old": (swap("--up", "POST /machine/", "POST /mbchine/"), ["ts2019.register"]),
    # The upgrade.
    "another spelling": (swap("--head", "tailscale-control-protocol", "Tailscale-Control-Protocol"),
                         ["upgrade.answer"]),
    "errors are successes": (swap("--head", "HTTP/1.1 4", "HTTP/1.1 2"),
                             ["upgrade.none", "upgrade.other", "upgrade.no-handshake", "upgrade.base64",
                              "upgrade.sites", "upgrade.text", "ts2019.paths", "ts2019.boxes", "ts2019.low-order",
                              "key.methods"]),
    "errors are successes for browsers": (defect("transparent") + swap("--head", "HTTP/1.1 4", "HTTP/1.1 2"),
                                          ["websocket.status"]),
    "another close code": (defect("transparent") + ["--head", r"\x03\xf0client=\x03\xe8client",
                                                    "--head", r"\x03\xeb=\x03\xe8"],
                           ["websocket.close", "websocket.text"]),
    "it never closes to browsers": (defect("transparent") + defect("never-closes") +
                                    ["--head", r"\x88\x02\x03=\x89\x02\x03", "--head", r"\x88\x04\x03=\x89\x04\x03"],
                                    ["websocket.record", "websocket.initiation"]),
    "two writes": (defect("transparent") + defect("slow-start"), ["handshake.one-write"]),
    "no errors but 404": (swap("--head", "HTTP/1.1 400", "HTTP/1.1 404"), ["upgrade.none", "upgrade.base64"]),
    "errors are successes for all": (defect("transparent") + swap("--head", "HTTP/1.1 4", "HTTP/1.1 2"),
                                     ["head.limit", "head.long", "head.fields", "head.body", "head.http2",
                                      "head.smuggling", "head.garbage", "head.http10", "ts2019.long"]),
    "one spelling, one method, one field": ([], ["upgrade.case", "upgrade.get", "head.twice", "record.idle"]),
    "the host is wanted": (defect("transparent") + swap("--up", "Host: elsewhere", "Hose: elsewhere"),
                           ["upgrade.host"]),
    "Connection is wanted": (defect("transparent") + swap("--up", "Upgrade:", "Upgrada:"), ["upgrade.no-connection"]),
    "a bad message 2 for browsers": (defect("transparent") + ["--head", r"\x02\x00\x30=\x02\x00\x31"],
                                     ["websocket.upgrade"]),
    "no pong": (defect("transparent") + ["--head", r"\x8a\x01\x07=\x89\x01\x07"], ["websocket.stream"]),
    "1000 for all": (defect("transparent") + ["--head", r"\x03\xea=\x03\xe8", "--head", r"\x03\xf1=\x03\xe8"],
                     ["websocket.frames", "websocket.long"]),
    "no cut records": (defect("no-cut"), ["records.cut"]),
    "no 405": (swap("--down", "405", "200"), ["http2.method"]),
    "200 for bad bodies": (["--down", r"\x8c=\x88"] + swap("--down", "413", "200"),
                           ["message.json", "message.deep", "message.long", "message.version"]),
    "any version": (swap("--up", '"Version":0,', '"Version":9,'), ["register.version"]),
    "no maps of old": (swap("--up", "/map HTTP", "/mbp HTTP"), ["ts2019.map"]),
    "it never closes": (defect("never-closes"),
                        ["record.long", "record.sealed-long", "record.short", "record.type", "record.tag",
                         "record.cut", "head.behind", "initiation.bits", "initiation.server", "initiation.version",
                         "initiation.ephemeral", "initiation.machine", "http2.http1"]),
    # WebSocket.
    "an extension": (defect("transparent") + swap("--head", "Sec-WebSocket-Protocol: tailscale-control-protocol",
                                                   "Sec-WebSocket-Extensions: permessage-deflate"),
                     ["websocket.extension", "websocket.answer"]),
    # The handshake.
    "message 2 of another key": (defect("bad-response"), ["handshake.good", "upgrade.official", "upgrade.rust"]),
    "its own version in the prologue": (defect("old-prologue"), ["handshake.newer", "handshake.versions"]),
    "no check for zero": (defect("no-zero-check"), ["initiation.ephemeral", "initiation.machine"]),
    "any spelling": (defect("any-spelling"), ["initiation.spelling"]),
    "tags are not looked at": (defect("no-tags"), ["initiation.bits", "record.tag", "record.after"]),
    "any size": (defect("any-size"), ["initiation.size", "initiation.header"]),
    "one ephemeral key": (defect("same-ephemeral"), ["initiation.replay"]),
    "one connection per machine": (defect("one-per-machine"), ["handshake.several", "map.beside"]),
    "it waits for the client": (defect("waits-for-client"), ["handshake.unasked", "http2.rust"]),
    "an early payload for all": (defect("early-always"), ["early.old"]),
    "one challenge": (defect("same-challenge"), ["early.fresh"]),
    "a challenge that is none": (swap("--down", "chalpub:", "chalxxx:"), ["early.form"]),
    "a long early payload": (["--down", r"\xff\xff\xffTS\x00\x00\x00=\xff\xff\xffTS\x00\x00\x09"], ["early.form"]),
    # Records.
    "little-endian counters": (defect("little-endian"), ["records.counter"]),
    "large records": (defect("splits-frames"), ["records.size"]),
    "no empty records": (defect("no-empty"), ["records.empty"]),
    "no small records": (defect("no-small"), ["records.small"]),
    "any length": (defect("any-length"), ["record.long", "record.sealed-long", "record.short"]),
    "any type": (defect("any-type"), ["record.type"]),
    "it tires": (defect("tires"), ["records.counter"]),
    "no end": (defect("no-end"), ["record.cut"]),
    # HTTP/2.
    "ten streams": (["--down", r"\x00\x03\x00\x00\x00\xfa=\x00\x03\x00\x00\x00\x0a"], ["http2.streams"]),
    "a small window": (["--down", r"\x00\x04\x00\x04\x00\x00=\x00\x04\x00\x00\x01\x00"], ["http2.windows"]),
    "a small table": (["--down", r"\x00\x03\x00\x00\x00\xfa=\x00\x01\x00\x00\x00\x00"], ["http2.table"]),
    "HTTP/1.1 inside": (defect("http1"), ["http2.http1"]),
    "no large frames": (["--close-on", r"\x00\x05\x00\x10\x00\x00"], ["http2.go"]),
    "no small increments": (["--close-on", r"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x10\x00"],
                            ["http2.updates"]),
    "no acknowledgement at first": (["--close-on", r"\x00\x00\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00"], ["http2.early-ack"]),
    "cancelling is a flood": (["--close-on", r"\x00\x00\x04\x03\x00\x00\x00\x00\x29"], ["http2.resets"]),
    "trailers": (["--close-on", "x-trailer"], ["http2.trailers"]),
    "frames of another time": (["--close-on", "another time"], ["http2.new-frames"]),
    "GET without a body": (["--close-on", '{"Version":138}'], ["http2.get-body"]),
    "the authority decides": (["--close-on", "elsewhere.example.com"], ["http2.authority"]),
    "one window for all": (["--deaf-on", r"\x00\x04\x00\x00\x00\x00"], ["http2.stall"]),
    "unknown paths are found": (["--down", r"\x8d=\x88"] + swap("--down", "404", "200"),
                                ["http2.unknown", "http2.old-paths", "map.unknown"]),
    "deaf to long frames": (["--deaf-on", r"\x00\x40\x01\x00\x00"], ["http2.frame-size"]),
    "deaf to many streams": (["--deaf-on", "content-length\x03100"], ["http2.too-many"]),
    "deaf to floods": (["--deaf-on", r"\x00\x00\x00\x04\x00\x00\x00\x00\x00"], ["http2.settings"]),
    "deaf to PINGs": (["--deaf-on", (r"\x00\x00\x08\x06\x00\x00\x00\x00\x00" + r"\x00" * 8)], ["http2.pings"]),
    "deaf to resets": (["--deaf-on", r"\x00\x00\x04\x03\x00\x00\x00\x00\x2b"], ["http2.rapid-reset"]),
    "deaf to long heads": (["--deaf-on", "x-more"], ["http2.continuation"]),
    "deaf to bombs": (["--deaf-on", "x-bomb"], ["http2.bomb"]),
    "deaf to windows": (["--deaf-on", r"\x7f\xff\xff\xff"], ["http2.window"]),
    "deaf to bodies": (["--deaf-on", "x" * 3000], ["http2.overrun"]),
    "deaf to broken frames": (["--deaf-on", r"\x00\x00\x07\x06"], ["http2.frames"]),
    # Registration.
    "a member of the answer": (swap("--down", '"AuthURL":', '"AuthURI":'), ["register.members"]),
    "no name": (swap("--down", '"LoginName":', '"LoginMame":'), ["register.success"]),
    "no error": (swap("--down", '"Error":"', '"Terror":"'[:9]), ["register.auth-key"]),
    "neither URL nor error": (swap("--down", '"Error":"', '"Error ":"'[:9]), ["register.login"]),
    "logouts are ignored": (swap("--up", "1970-01-01T00:02:03Z", "0001-01-01T00:00:00Z"),
                            ["register.logout", "register.unknown-logout", "map.leaves"]),
    "a zero key is a node": (swap("--up", "nodekey:" + "0" * 64, "nodekey:" + "5" * 64), ["register.zero"]),
    "only what it knows": (["--close-on", "NoSuchMember"], ["register.spelling"]),
    "Ts-Lb": (["--close-on", r"\x84\x4a\x16\xa2\x3f"], ["register.ts-lb"]),
    "one machine": (defect("one-machine"), ["map.foreign", "map.thief"]),
    # Maps.
    "no node": (swap("--down", '"Node":{', '"Nodf":{'), ["map.first"]),
    "no StableID": (swap("--down", '"StableID":', '"XtableID":'), ["map.self"]),
    "another network": (swap("--down", '"Addresses":["100.', '"Addresses":["101.'), ["map.addresses"]),
    "no dot": (swap("--down", '.ts2021.test."', '.ts2021.testx"'), ["map.name"]),
    "a null": (swap("--down", '"Domain":"ts2021.test"', '"Domain":null'), ["map.null"]),
    "no compression": (swap("--up", '"Compress":"zstd"', '"Zompress":"zstd"'), ["map.compression"]),
    "it streams all": (swap("--up", '"ReadOnly":true', '"Stream":true'), ["map.one"]),
    "updates stream": (swap("--up", '"OmitPeers":true', '"Stream":true'), ["map.update"]),
    "nothing is told": (swap("--down", '"PeersChanged":', '"Xeerschanged":'), ["map.peers"]),
    "nothing is taken back": (swap("--down", '"PeersRemoved":', '"XeersRemoved":'), ["map.leaves"]),
    "endpoints are cleared": (swap("--down", '"Endpoints":["192.0.2.1:41641"]', '"Endpoints":[]'), ["map.content"]),
    "host names as they are": (swap("--down", "31mscriptalert", "31m<cript>lert"),
                               ["message.text"]),
}


# The faults of ts2021d itself, for every time, and the checks that have to notice.
FAULTS = [
    ({"layer": "http", "fault": "strip-upgrade"}, ["upgrade.answer"]),
    ({"layer": "http", "fault": "wrong-key"}, ["handshake.good"]),
    ({"layer": "http", "fault": "status", "path": "/key", "status": 503}, ["key.json"]),
    ({"layer": "noise", "fault": "wrong-key"}, ["handshake.good"]),
    ({"layer": "noise", "fault": "error-record", "text": "no"}, ["upgrade.official"]),
    ({"layer": "noise", "fault": "corrupt", "nth": 2}, ["records.counter"]),
    ({"layer": "noise", "fault": "truncate", "nth": 2}, ["records.counter"]),
    ({"layer": "early", "fault": "garbage"}, ["early.form"]),
    ({"layer": "early", "fault": "oversized"}, ["early.form"]),
    ({"layer": "http2", "fault": "goaway"}, ["http2.rust"]),
    ({"layer": "http2", "fault": "reset"}, ["http2.go"]),
    ({"layer": "map", "fault": "length-zero"}, ["map.first"]),
    ({"layer": "map", "fault": "length-short"}, ["map.self"]),
    ({"layer": "map", "fault": "bad-zstd"}, ["map.compression"]),
    ({"layer": "map", "fault": "truncated-json"}, ["map.self"]),
    ({"layer": "api", "fault": "contradiction"}, ["map.content"]),
    ({"layer": "api", "fault": "status", "on": "register", "status": 500, "nth": 2}, ["register.again"]),
    ({"layer": "api", "fault": "hold", "on": "map"}, ["map.update"]),
]

# What takes a minute to see.
SLOW = {
    "no end for the slow": (defect("transparent") + defect("never-closes"), ["slow.head"]),
    "no end for the silent": (defect("never-closes"), ["slow.preface"]),
    "no keep-alives": (defect("quiet"), ["slow.keep-alive"]),
}

# What nothing above can show, and why.
UNTESTED = {
    "websocket.early": "the relay does not end Noise inside a WebSocket",
    "register.url": "a login's id is another each time",
    "map.brace": "sizes of messages are as they come",
    "map.replaced": "only a server that keeps both polls shows it, as one does in CONFORMANCE.md",
    "ts2019.nonce": "the relay does not open boxes",
    "ts2019.replay": "the relay does not open boxes",
}


class Defects(unittest.TestCase):
    """Each defect is caught by the checks that are named beside it."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon()
        cls.caught = {}

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__()

    def run_one(self, name):
        arguments, expected = DEFECTS[name]
        with Relay(self.daemon, arguments) as relay:
            return self.grade(name, relay.url, expected)

    def run_fault(self, fault):
        rule, expected = fault
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump([{"every": 1, "count": 0, **rule}], file)
            file.flush()
            with Daemon("--admin", "127.0.0.1:0", "--faults", file.name) as daemon:
                return self.grade(json.dumps(rule), daemon.url, expected)

    def grade(self, name, url, expected, *more):
        rules = [word for check in expected for word in ("--rule", check)]
        done, report = conformance(url, "--timeout", "4", *rules, *more)
        if report is None:
            return f"{name}: no report: {done.stderr}"
        found = by_verdict(report, "FAIL", "differs")
        missed = [check for check in expected if check not in found]
        if missed:
            return f"{name}: not noticed by {missed}: " + json.dumps(report["checks"])[:3000]
        musts = [one for one in found.values() if one["verdict"] == "FAIL"]
        if done.returncode not in ((3, 2) if musts else (0, 2)):
            return f"{name}: exit code {done.returncode}"
        return None

    def test_each_is_caught(self):
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            wrong = [text for text in pool.map(self.run_one, DEFECTS) if text]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_each_fault_is_caught(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            wrong = [text for text in pool.map(self.run_fault, FAULTS) if text]
        self.assertEqual(wrong, [], "\n".join(wrong))

    def test_each_check_can_fail(self):
        listed = run_client("conformance", "http://127.0.0.1:1", "--list", "--json")
        names = [one["check"] for one in json.loads(listed.stdout)]
        self.assertEqual(len(names), len(set(names)))
        shown = {check for _, checks in [*DEFECTS.values(), *FAULTS, *SLOW.values()] for check in checks}
        self.assertEqual(sorted(set(names) - shown), sorted(UNTESTED))

    def test_what_takes_a_minute_can_fail(self):
        def slow(item):
            arguments, checks = item
            with Relay(self.daemon, arguments) as relay:
                return self.grade(str(checks), relay.url, checks, "--slow")
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            self.assertEqual([text for text in pool.map(slow, SLOW.values()) if text], [])

    def test_a_relay_without_a_defect_passes(self):
        with Relay(self.daemon, []) as relay:
            done, report = conformance(relay.url, "--rule", "upgrade.*", "--rule", "handshake.*", "--rule", "record*",
                                       "--rule", "http2.*", "--rule", "map.*", "--rule", "register.*",
                                       "--rule", "initiation.*", "--rule", "early.*")
        self.assertEqual(by_verdict(report, "FAIL"), {})


if __name__ == "__main__":
    main()
