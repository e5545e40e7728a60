# SPDX-License-Identifier: BSD-3-Clause
"""key, handshake, register, map, request and c2n of ts2021 with real servers and with hostile ones. "row N" names
what of the table of hostile input for clients a test shows; tests/tools/README.md has all of them."""

import base64
import http.client
import json
import os
import re
import resource
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

from programs import CLIENT, Daemon, main, run_client, start_client

RAW_SERVER = sys.argv.pop(3)
KEY = ("--auth-key", "test-key")
MEGABYTE = 1 << 20


def lines(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def state_file(folder, name="state"):
    return os.path.join(folder, name)


class Admin(Daemon):
    def __init__(self, *flags, **more):
        super().__init__("--admin", "127.0.0.1:0", *flags, **more)

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.ready["admin"]).netloc, timeout=20)
        connection.request(method, "/admin/" + path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status < 300, (method, path, answer.status, text)
        return json.loads(text) if text else None


class Hostile:
    """Answers each connection with what `answer` says of its request's first line: bytes, or pieces without end."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.stop = False
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop = True
        self.listener.close()

    def serve(self):
        while not self.stop:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(sock,), daemon=True).start()

    def one(self, sock):
        with sock:
            sock.settimeout(20)
            try:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = sock.recv(4096)
                    if not piece:
                        return
                    head += piece
                for piece in self.answer(head.split(b"\r\n")[0].decode()):
                    if self.stop or piece is None:
                        while not self.stop and sock.recv(4096):
                            pass
                        return
                    sock.sendall(piece)
            except OSError:
                pass


def ok(body, more=""):
    return ("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)).encode()


def with_key(upgrade, key="mkey:" + "11" * 32):
    """A server with a good /key, whose upgrades are answered by upgrade()."""
    def answer(line):
        if line.startswith("GET /key"):
            return [ok(json.dumps({"legacyPublicKey": "mkey:" + "0" * 64, "publicKey": key}))]
        return upgrade()
    return Hostile(answer)


def framed(text):
    return len(text.encode()).to_bytes(4, "little") + text.encode()


def sanitized():
    with open(CLIENT, "rb") as file:
        return re.search(rb"__[at]san_init", file.read()) is not None


SANITIZED = sanitized()  # its memory says nothing then


def measured(*arguments, timeout=60):
    """The client, and the most memory that it had, in MiB."""
    def limit():
        if not SANITIZED:
            resource.setrlimit(resource.RLIMIT_AS, (4096 * MEGABYTE,) * 2)
    process = subprocess.Popen([CLIENT, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=limit)
    timer = threading.Timer(timeout, process.kill)
    timer.start()
    out = [process.stdout.read(), process.stderr.read()]
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    return process.returncode, *out, 0 if SANITIZED else usage.ru_maxrss / 1024


class Keys(unittest.TestCase):
    def test_both_keys_and_the_version(self):
        with Daemon() as daemon:
            for version, noise, nacl in ((148, True, False), (88, True, True), (27, False, True)):
                done = run_client("key", daemon.url, "--capability", str(version))
                self.assertEqual(done.returncode, 0, done)
                self.assertIn(f"version sent        {version}\n", done.stdout)
                self.assertEqual(bool(re.search(r"TS2021\)  mkey:[0-9a-f]{64}", done.stdout)), noise, done.stdout)
                self.assertEqual(bool(re.search(r"TS2019\)   mkey:[0-9a-f]{64}", done.stdout)), nacl, done.stdout)
            self.assertEqual(lines(run_client("key", daemon.url, "--json"))[0]["publicKey"], daemon.noise_key())

    def test_row_10_what_is_no_key(self):
        endless = [b"HTTP/1.1 200 OK\r\n\r\n"] + [b"x" * 65536] * 10_000
        for name, pieces in {"html": [ok("<html>")], "cut": [ok('{"publicKey":')], "empty": [ok("")],
                             "status": [b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nno\n"],
                             "endless": endless, "no HTTP": [b"SSH-2.0-x\r\n\r\n"],
                             "head without end": [b"HTTP/1.1 200 OK\r\n"] + [b"a: b\r\n" * 1000] * 1000}.items():
            with self.subTest(name), Hostile(lambda line: pieces) as server:
                code, out, err, memory = measured("key", server.url)
                self.assertNotEqual(code, 0)
                self.assertEqual(out, "")
                self.assertRegex(err, "ts2021: /key: ")
                self.assertLess(memory, 100)
                self.assertEqual(measured("handshake", server.url)[0], 2)

    def test_row_11_no_key_for_the_protocol(self):
        with Hostile(lambda line: [ok(json.dumps({"legacyPublicKey": "mkey:" + "22" * 32}))]) as server:
            done = run_client("register", server.url, "--protocol", "ts2021")
            self.assertIn("control server is too old; no Noise key", done.stderr)
        with Daemon("--no-ts2019") as daemon:
            done = run_client("register", daemon.url, "--protocol", "ts2019")
            self.assertIn("it does not speak TS2019", done.stderr)


class Handshakes(unittest.TestCase):
    names = ["look-up", "connect", "GET /key?v=148", "look-up", "connect", "upgrade", "answer", "Noise",
             "early payload", "SETTINGS"]

    def test_each_step_with_its_time(self):
        with Daemon() as daemon:
            report = lines(run_client("handshake", daemon.url, "--json"))[0]
            self.assertTrue(report["ok"])
            self.assertEqual([step["step"] for step in report["steps"]], self.names)
            self.assertTrue(all(0 <= step["ms"] < 10_000 for step in report["steps"]))
            by_name = {step["step"]: step for step in report["steps"]}
            self.assertEqual(by_name["answer"]["text"], "status 101")
            self.assertEqual(by_name["Noise"]["details"]["server key"], daemon.noise_key())
            self.assertRegex(by_name["early payload"]["details"]["challenge"], "^chalpub:[0-9a-f]{64}$")
            self.assertEqual(by_name["SETTINGS"]["details"]["MAX_CONCURRENT_STREAMS"], "250")
            text = run_client("handshake", daemon.url).stdout
            self.assertRegex(text, r"(?m)^SETTINGS +\d+\.\d+ ms  MAX_CONCURRENT_STREAMS 250, ")

    def test_by_websocket_and_by_https(self):
        with Daemon() as daemon:
            report = lines(run_client("handshake", daemon.url, "--websocket", "--json"))[0]
            self.assertTrue(report["ok"])
            self.assertEqual(report["steps"][6]["details"]["upgrade"], "websocket")
            self.assertEqual(report["steps"][8]["text"], "none")
        with tempfile.TemporaryDirectory() as folder, \
                Daemon("--tls-listen", "127.0.0.1:0", "--tls-self-signed", folder) as daemon:
            for flags in ((), ("--websocket",)):
                report = lines(run_client("handshake", daemon.url, "--ca", daemon.ready["ca"], "--json", *flags))[0]
                self.assertTrue(report["ok"], report)
                self.assertEqual([step["text"] for step in report["steps"] if step["step"] == "TLS"], ["TLSv1.3"] * 2)
            report = lines(run_client("handshake", daemon.url, "--json"))[0]
            self.assertFalse(report["ok"])
            self.assertEqual(report["steps"][-1]["step"], "TLS")
            self.assertIn("certificate", report["steps"][-1]["error"])

    def failing(self, upgrade, step, error, key="mkey:" + "11" * 32):
        with with_key(upgrade, key) as server:
            code, out, err, memory = measured("handshake", server.url, "--timeout", "2", "--json")
            report = json.loads(out)
            self.assertEqual((code, report["ok"], err), (2, False, ""))
            self.assertEqual(report["steps"][-1]["step"], step, report)
            self.assertRegex(report["steps"][-1]["error"], error)
            self.assertLess(memory, 100)

    def test_rows_12_26_to_29_upgrades(self):
        switched = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: %s\r\n\r\n"
        good = switched % b"tailscale-control-protocol"
        for status in (200, 301, 307, 502):
            self.failing(lambda: [b"HTTP/1.1 %d X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n" % status],
                         "upgrade", rf"status {status} \(ENT-7\)")
        self.failing(lambda: [switched % b"h2c"], "upgrade", "ENT-7")
        self.failing(lambda: [b"HTTP/1.1 101 X\r\nUpgrade: tailscale-control-protocol\r\n\r\n"], "upgrade", "ENT-7")
        self.failing(lambda: [good], "Noise", "closed the connection")
        self.failing(lambda: [good, None], "Noise", "too slow")
        self.failing(lambda: [None], "upgrade", "too slow")
        self.failing(lambda: [], "upgrade", "HSK-7|low|zero", key="mkey:01" + "00" * 31)

    def test_rows_46_to_50_message_2(self):
        good = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                b"Upgrade: tailscale-control-protocol\r\n\r\n")
        self.failing(lambda: [good, b"\x03\xff\xff" + b"go away\x1b[2J" + b"x" * 65525], "Noise", r"HSK-8.*: go away\?\[2J")
        for kind in (0, 1, 4, 255):
            self.failing(lambda: [good, bytes([kind]) + b"\0\x30" + b"x" * 48], "Noise", "HSK-")
        for size in (47, 49, 65535):
            self.failing(lambda: [good, b"\x02" + size.to_bytes(2, "big")], "Noise", "HSK-5")
        self.failing(lambda: [good, b"\x02\0\x30" + bytes(48)], "Noise", "HSK-7")
        self.failing(lambda: [good, b"\x02\0\x30" + b"\x09" + bytes(47)], "Noise", "HSK-5")


class Registration(unittest.TestCase):
    def test_a_node_comes_back_rotates_and_logs_out(self):
        for protocol in ("ts2021", "ts2019"):
            with self.subTest(protocol), Admin() as daemon, tempfile.TemporaryDirectory() as folder:
                state = state_file(folder)
                def register(*flags):
                    return run_client("register", daemon.url, "--protocol", protocol, "--state", state, *flags)
                done = register("--auth-key", "wrong", "--hostname", "first")
                self.assertEqual(done.returncode, 3, done)
                self.assertIn("refused     invalid auth key\n", done.stdout)
                self.assertFalse(os.path.exists(state))
                done = register(*KEY, "--hostname", "first")
                self.assertEqual(done.returncode, 0, done)
                self.assertIn("authorized  yes\n", done.stdout)
                with open(state) as file:
                    first = file.read()
                self.assertEqual(stat.S_IMODE(os.stat(state).st_mode), 0o600)
                for secret in re.findall(r"privkey:([0-9a-f]{64})", first):
                    self.assertNotIn(secret, done.stdout + done.stderr)
                self.assertEqual(register().returncode, 0)
                nodes = daemon.call("GET", "nodes")
                self.assertEqual(len(nodes), 1)
                done = register(*KEY, "--rotate")
                self.assertEqual(done.returncode, 0, done)
                with open(state) as file:
                    second = file.read()
                old = re.search(r"\nnode = (\S+)", first)[1]
                self.assertIn("old-node = " + old, second)
                self.assertNotIn("\nnode = " + old, second)
                done = register("--logout", "--json")
                self.assertEqual(done.returncode, 5, done)
                self.assertTrue(json.loads(done.stdout)["NodeKeyExpired"])
                done = register()
                self.assertIn(done.returncode, (3, 5), done)

    def test_a_person_logs_in(self):
        for protocol in ("ts2021", "ts2019"):
            with self.subTest(protocol), Admin("--login-page") as daemon, tempfile.TemporaryDirectory() as folder:
                state = state_file(folder)
                done = run_client("register", daemon.url, "--protocol", protocol, "--state", state)
                self.assertEqual(done.returncode, 4, done)
                url = re.search(r"log in at   (\S+)", done.stdout)[1]
                with open(state) as file:
                    self.assertIn("followup = " + url, file.read())
                waiting = start_client("register", daemon.url, "--protocol", protocol, "--state", state, "--wait", "--json")
                asked = json.loads(waiting.stdout.readline())
                self.assertEqual(asked["AuthURL"], url)
                time.sleep(0.3)
                self.assertIsNone(waiting.poll())
                self.complete(daemon, url)
                out, err = waiting.communicate(timeout=20)
                self.assertEqual(waiting.returncode, 0, err)
                self.assertTrue(json.loads(out)["MachineAuthorized"])
                with open(state) as file:
                    self.assertNotIn("followup", file.read())
                self.assertEqual(run_client("register", daemon.url, "--protocol", protocol, "--state", state).returncode, 0)

    @staticmethod
    def complete(daemon, url):
        daemon.call("POST", "complete-auth", {"url": url, "loginName": "alice@example.com"})

    def test_a_state_file_that_is_none(self):
        with tempfile.TemporaryDirectory() as folder, Daemon() as daemon:
            state = state_file(folder)
            for text, complaint in (("x", "line 1"), ("machine = privkey:" + "0" * 64, "line 1: not a private key"),
                                    ("# nothing\n", "is missing"), ("colour = red", "unknown name")):
                with open(state, "w") as file:
                    file.write(text)
                done = run_client("register", daemon.url, "--state", state)
                self.assertEqual(done.returncode, 1)
                self.assertIn(complaint, done.stderr)
                with open(state) as file:
                    self.assertEqual(file.read(), text)

    def test_the_server_slows_down(self):
        with Admin() as daemon:
            daemon.call("PUT", "faults", [{"layer": "api", "fault": "status", "on": "register", "status": 429, "retryAfter": "7s"}])
            done = run_client("register", daemon.url, *KEY)
            self.assertEqual(done.returncode, 3)
            self.assertIn("status 429, again in 7 s", done.stderr)


class Requests(unittest.TestCase):
    def test_any_request_inside_noise(self):
        with Daemon() as daemon, tempfile.TemporaryDirectory() as folder:
            state = state_file(folder)
            run_client("register", daemon.url, *KEY, "--state", state)
            done = run_client("request", daemon.url, "GET", "/machine/whoami", "--state", state, "-i")
            self.assertEqual(done.returncode, 0, done)
            self.assertRegex(done.stdout, r"^200\n(.*\n)*content-type: text/plain; charset=utf-8\n(.*\n)*\nmachine mkey:[0-9a-f]{64}\n")
            done = run_client("request", daemon.url, "POST", "/machine/nothing", "--data", "x", "-H", "a: b", "-H", "c:")
            self.assertEqual((done.returncode, done.stdout, done.stderr), (3, "not found\n", "status 404\n"))
            done = run_client("request", daemon.url, "GET", "/machine/whoami", "--max-body", "5")
            self.assertEqual(done.returncode, 2)
            self.assertIn("a limit was reached", done.stderr)

    def test_bodies_from_files_and_from_standard_input_by_both_protocols(self):
        with Daemon() as daemon, tempfile.TemporaryDirectory() as folder:
            body = state_file(folder, "body")
            request = {"Version": 88, "NodeKey": "nodekey:" + "33" * 32, "Hostinfo": {"Hostname": "by-hand"},
                       "Auth": {"AuthKey": "test-key"}}
            with open(body, "w") as file:
                json.dump(request, file)
            for protocol in ("ts2021", "ts2019"):
                keys = ("--protocol", protocol, "--state", state_file(folder, protocol))
                run_client("register", daemon.url, *keys, *KEY)
                request["NodeKey"] = "nodekey:" + os.urandom(32).hex()
                text = json.dumps(request)
                with open(body, "w") as file:
                    file.write(text)
                done = run_client("request", daemon.url, "POST", "/machine/register", "--data", "@" + body, *keys)
                self.assertTrue(json.loads(done.stdout)["MachineAuthorized"], done)
                done = subprocess.run([CLIENT, "request", daemon.url, "POST", "/machine/register", "--data", "@-", *keys],
                                      input=text, capture_output=True, text=True, timeout=20)
                self.assertTrue(json.loads(done.stdout)["MachineAuthorized"], done)
            self.assertEqual(run_client("request", daemon.url, "POST", "/x", "--data", "@/no/such").returncode, 1)


class Maps(unittest.TestCase):
    def test_full_then_deltas_in_all_forms_by_both_protocols_and_ways(self):
        for flags in ((), ("--protocol", "ts2019"), ("--websocket",), ("--no-compression",)):
            with self.subTest(flags), Daemon() as daemon, tempfile.TemporaryDirectory() as folder:
                first = start_client("map", daemon.url, *KEY, "--hostname", "one", "--messages", "3", "--seconds", "20", *flags)
                self.assertEqual(first.stdout.readline(), "registered as owner@ts2021.test\n")
                self.assertRegex(first.stdout.readline(), r"^self \d+ one\.")
                two = ("map", daemon.url, *KEY, "--hostname", "two", "--seconds", "20", "--state", state_file(folder), *flags)
                done = run_client(*two, "--messages", "1", "--json")
                self.assertEqual(done.returncode, 0, done)
                full, = lines(done)
                self.assertEqual((full["kind"], full["findings"]), ("full", []))
                self.assertEqual([peer["Name"] for peer in full["message"]["Peers"]], ["one.ts2021.test."])
                self.assertGreater(full["unpacked"], 500)
                self.assertEqual(full["packed"] >= full["unpacked"], "--no-compression" in flags)
                raw, = lines(run_client(*two, "--messages", "1", "--raw"))
                self.assertEqual(raw["Node"]["ID"], full["message"]["Node"]["ID"])
                folded = lines(run_client(*two, "--messages", "1", "--netmap", "end"))[0]
                self.assertEqual(folded["Node"]["Name"], "two.ts2021.test.")
                self.assertEqual(len(folded["Peers"]), 1)
                out, err = first.stdout.read(), first.stderr.read()
                first.stdout.close()
                first.stderr.close()
                self.assertEqual(first.wait(timeout=20), 0, err)
                self.assertRegex(out, r"(?m)^-- full: \d+ bytes, \d+ packed$")
                self.assertRegex(out, r"(?m)^peer \d+ two\.ts2021\.test\. 100\.")
                self.assertRegex(out, r"(?m)^peer \d+ two\.ts2021\.test\.: Online (no|yes) -> (yes|no)$")
                self.assertRegex(out, r"(?m)^-- delta: \d+ bytes, \d+ packed$")

    def test_lite_fetch_and_read_only(self):
        with Admin() as daemon, tempfile.TemporaryDirectory() as folder:
            base = ("map", daemon.url, "--state", state_file(folder))
            self.assertEqual(run_client(*base, *KEY, "--fetch").returncode, 0)
            done = run_client(*base, "--no-register", "--lite", "--endpoints", "192.0.2.1:5,[2001:db8::1]:6", "--derp", "1")
            self.assertEqual(done.returncode, 0, done)
            def node():
                return daemon.call("GET", "nodes")[0]
            self.assertIn("192.0.2.1:5", json.dumps(node()))
            done = run_client(*base, "--no-register", "--read-only", "--fetch", "--endpoints", "192.0.2.9:9", "--json")
            self.assertEqual(lines(done)[0]["kind"], "full")
            self.assertNotIn("192.0.2.9", json.dumps(node()))
            done = run_client(*base, "--no-register", "--endpoints", "192.0.2.7:7", "--seconds", "1")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("192.0.2.7:7", json.dumps(node()))
            self.assertEqual(run_client(*base, "--endpoints", "nonsense").returncode, 1)

    def test_versions(self):
        with Daemon() as daemon:
            for version in (148, 113, 68, 51, 39):
                done = run_client("map", daemon.url, *KEY, "--capability", str(version), "--messages", "1", "--json", "--seconds", "20")
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(lines(done)[0]["findings"], [], version)
            for version in (88, 60, 32, 26):
                done = run_client("map", daemon.url, *KEY, "--protocol", "ts2019", "--capability", str(version), "--messages", "1",
                                  "--json", "--seconds", "20")
                self.assertEqual(done.returncode, 0, done)
                self.assertEqual(lines(done)[0]["findings"], [], version)


class C2n(unittest.TestCase):
    def test_each_request_is_shown_and_answered(self):
        with Admin() as daemon, tempfile.TemporaryDirectory() as folder:
            prefs = state_file(folder, "prefs")
            with open(prefs, "w") as file:
                file.write('{"its":"own"}')
            state = state_file(folder)
            node = start_client("c2n", daemon.url, *KEY, "--state", state, "--respond", "/debug/prefs=" + prefs, "--requests", "3",
                                "--seconds", "30")
            self.assertEqual(node.stdout.readline(), "registered\n")
            key = daemon.call("GET", "nodes")[0]["Key"]

            def ask(method, path, body=b""):
                answer = daemon.call("POST", f"nodes/{key}/c2n", {
                    "method": method, "path": path, "body": base64.b64encode(body).decode(), "wait": True, "timeout": "10s"})
                return answer["status"], base64.b64decode(answer["body"])
            self.assertEqual(ask("POST", "/echo", b"hello"), (200, b"hello"))
            self.assertEqual(ask("GET", "/debug/prefs"), (200, b'{"its":"own"}'))
            self.assertEqual(ask("GET", "/debug/unknown")[0], 400)
            out, err = node.communicate(timeout=20)
            self.assertEqual(node.returncode, 0, err)
            self.assertEqual(re.findall(r"(\S+ \S+) -> status (\d+), taken with status 20\d", out),
                             [("POST /echo", "200"), ("GET /debug/prefs", "200"), ("GET /debug/unknown", "400")])


class HostileMaps(unittest.TestCase):
    """A server inside Noise that does what its faults say, and one whose messages are whatever we like."""

    def node(self, fault, *flags, code=2):
        with Admin() as daemon:
            daemon.call("PUT", "faults", [fault])
            result, out, err, memory = measured("map", daemon.url, *KEY, "--seconds", "5", *flags)
            self.assertEqual(result, code, (out, err))
            self.assertLess(memory, 150)
            return err

    def test_rows_79_and_80_frames(self):
        for fault, rule in (("length-zero", "MAP-3"), ("bad-zstd", "MAP-2"), ("truncated-json", "not the JSON"),
                            ("length-short", "MAP-2")):
            with self.subTest(fault):
                self.assertIn(rule, self.node({"layer": "map", "fault": fault}))

    def test_rows_52_to_58_records(self):
        for fault, rule in (("corrupt", "REC-7"), ("reorder", "REC-7"), ("truncate", "REC-8")):
            with self.subTest(fault):
                self.assertIn(rule, self.node({"layer": "noise", "fault": fault, "nth": 2}))

    def test_rows_62_to_64_early_payload(self):
        self.assertIn("EAR-5", self.node({"layer": "early", "fault": "oversized"}))

    def test_rows_49_and_50_wrong_keys(self):
        self.assertIn("HSK-", self.node({"layer": "noise", "fault": "wrong-key"}))
        self.assertIn("HSK-8", self.node({"layer": "noise", "fault": "error-record", "text": "no"}))
        self.assertIn("the peer closed", self.node({"layer": "http", "fault": "wrong-key"}))

    def test_row_77_and_floods(self):
        for frame in ("ping", "settings"):
            self.assertIn("H2-9", self.node({"layer": "http2", "fault": "flood", "frame": frame, "times": 5000}))
        self.assertIn("H2-15", self.node({"layer": "http2", "fault": "goaway"}))

    def test_row_78_a_redirect_is_not_followed(self):
        self.assertIn("status 302", self.node({"layer": "http", "fault": "redirect", "location": "http://127.0.0.1:1/"}))
        self.assertIn("refused with status 503", self.node({"layer": "api", "fault": "status", "on": "map", "status": 503}, code=3))

    def raw(self, body, *flags, times=1, packed=False, registered='{"MachineAuthorized":true}'):
        """What the client makes of these bytes as its map: exit code, output, complaints, memory."""
        with tempfile.TemporaryDirectory() as folder:
            files = [state_file(folder, name) for name in ("register", "map")]
            for file, text in zip(files, (registered, body)):
                with open(file, "wb") as out:
                    out.write(text if isinstance(text, bytes) else text.encode())
            server = subprocess.Popen([RAW_SERVER, files[0], ("zstd:" if packed else "") + files[1], str(times)],
                                      stdout=subprocess.PIPE, text=True)
            try:
                url = server.stdout.readline().strip()
                return measured("map", url, "--seconds", "30", *(() if packed else ("--no-compression",)), *flags)
            finally:
                server.kill()
                server.communicate()

    def refused(self, error, body, *flags, **more):
        code, out, err, memory = self.raw(body, *flags, **more)
        self.assertEqual(code, 2, (out[:1000], err))
        self.assertIn(error, err)
        return out, memory

    def test_rows_79_and_80_lengths_that_lie(self):
        for size in (b"\xff\xff\xff\xff", b"\x01\0\0\x04"):
            _, memory = self.refused("MAP-4", size + b"{}")
            self.assertLess(memory, 50)
        self.refused("MAP-3", bytes(4))
        self.refused("MAP-1", framed("{}")[:5])
        self.refused("not the JSON", framed("[]"))
        # 64 MiB are announced: memory is taken as they come.
        _, memory = self.refused("MAP-1", b"\0\0\0\x04" + b" " * 1000)
        self.assertLess(memory, 50)

    def test_row_80_bombs(self):
        bomb = '{"Domain":"%s"}' % ("x" * (60 * MEGABYTE))
        _, memory = self.refused("MAP-4", bomb, "--max-message", str(8 * MEGABYTE), packed=True)
        self.assertLess(memory, 120)
        code, _, err, memory = self.raw(bomb, "--netmap", "end", packed=True, times=20)
        self.assertEqual(code, 2, err)
        self.assertIn("closed", err)
        self.assertLess(memory, 800)

    def test_many_small_elements_cost_no_more_than_32_times_their_text(self):
        crowd = '{"PeersChanged":[%s]}' % ",".join(["{}"] * 500_000)
        code, out, err, memory = self.raw(crowd, packed=True)
        self.assertEqual(code, 2, err)
        self.assertIn("a limit was reached", err)
        self.assertLess(memory, 200)

    def test_deep_json(self):
        for depth in (65, 100_000):
            self.refused("not the JSON", framed('{"X":' + "[" * depth + "]" * depth + "}"))
        self.refused("not the JSON", framed('{"Node":' * 200 + "}" * 200))

    def test_a_crowd_of_peers_is_bounded_by_the_fold(self):
        def crowd(first):
            return framed('{"PeersChanged":[%s]}' % ",".join('{"ID":%d,"Name":"n.","X":"%s"}' % (i, "x" * 200) for i in range(first, first + 3000)))
        body = framed('{"Node":{"ID":1,"Name":"me."}}') + b"".join(crowd(2 + 3000 * i) for i in range(40))
        code, out, err, memory = self.raw(body, "--json")
        self.assertEqual(code, 2, err)
        self.assertIn("MAP-67", out)
        self.assertLess(memory, 700)

    def test_contradictions_are_findings_with_their_rule(self):
        body = framed('{"Node":{"ID":1,"Name":"me.","Addresses":["100.64.0.1/32"]},"Peers":[{"ID":3,"Name":"b."},{"ID":2,"Name":"a."}]}')
        body += framed('{"PeersRemoved":[78],"PeersChanged":[{"ID":1,"Name":"me."}],"PeersChangedPatch":[{"NodeID":79}]}')
        body += framed('{"Peers":[{"ID":2,"Name":"a."}],"PeersRemoved":[2]}')
        code, out, err, _ = self.raw(body, "--messages", "3")
        self.assertEqual(code, 0, err)
        for rule in ("API-30", "MAP-65", "MAP-26", "MAP-66", "MAP-22"):
            self.assertRegex(out, rf"(?m)^! {rule} ")
        self.assertRegex(out, r"(?m)^peer 3 b\.: removed$")

    def test_text_of_the_server_does_not_reach_the_terminal_as_it_is(self):
        evil = "\\u001b[2J\\u0007" + "\u20ac"
        body = framed('{"Node":{"ID":1,"Name":"%s"},"Domain":"%s","Peers":[{"ID":2,"Name":"%s"}]}' % (evil, evil, evil * 500))
        code, out, err, _ = self.raw(body, "--messages", "1", registered='{"Login":{"LoginName":"%s"}}' % evil)
        self.assertEqual(code, 0, err)
        self.assertTrue(out.replace("\n", "").isascii() and out.replace("\n", "").isprintable(), out)
        self.assertLess(max(map(len, out.splitlines())), 2000)
        code, out, err, _ = self.raw(b"", registered='{"Error":"%s"}' % evil)
        self.assertEqual(code, 3, err)
        self.assertTrue(err.replace("\n", "").isascii() and err.replace("\n", "").isprintable(), err)

    def test_answers_without_end(self):
        big = '{"User":{"DisplayName":"%s"}}' % ("x" * (2 * MEGABYTE))
        code, _, err, memory = self.raw(b"", registered=big)
        self.assertEqual(code, 2, err)
        self.assertIn("a limit was reached", err)
        self.assertLess(memory, 60)


if __name__ == "__main__":
    main()
