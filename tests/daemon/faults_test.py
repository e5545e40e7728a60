# SPDX-License-Identifier: BSD-3-Clause
"""Faults of a server for tests, as files and over the admin API; TCP as the system's own sockets see it."""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from programs import Daemon, main, run_client

ADMIN = ("--admin", "127.0.0.1:0")
RESET = {"layer": "tcp", "fault": "reset"}
NO_KEY = {"layer": "http", "fault": "status", "path": "/key", "status": 503, "retryAfter": "7s"}


def faults(daemon, method, body=None):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(daemon.ready["admin"]).netloc, timeout=10)
    connection.request(method, "/admin/faults", body if isinstance(body, str) else json.dumps(body) if body is not None else None)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def ask_key(daemon, limit=5):
    """All that comes back on a connection of its own."""
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=limit) as sock:
        sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        out = b""
        while piece := sock.recv(65536):
            out += piece
        return out


class Files(unittest.TestCase):
    def start(self, text, *flags):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "faults.json")
            with open(path, "w") as file:
                file.write(text)
            with Daemon("--faults", path, *flags) as daemon:
                if daemon.ready:
                    return daemon.ready, [ask_key(daemon) for _ in range(2)]
                daemon.process.wait(10)
                return None, daemon.log_text().replace(path, "FILE")

    def test_a_script_is_in_force_from_the_start(self):
        for flags in [("--test-mode",), ADMIN, ("--test-mode", *ADMIN)]:
            ready, answers = self.start("[%s,] // once" % json.dumps(NO_KEY), *flags)
            self.assertIsNotNone(ready)
            self.assertIn(b" 503 ", answers[0].split(b"\r\n")[0])
            self.assertIn(b"\r\nRetry-After: 7\r\n", answers[0])
            self.assertIn(b" 200 ", answers[1].split(b"\r\n")[0])

    def test_an_unknown_word_is_told_with_its_place(self):
        ready, log = self.start('[\n  {"layer": "tcp", "fault": "rest"}]', "--test-mode")
        self.assertIsNone(ready)
        self.assertIn('FILE:2:29: unknown fault "rest" of layer "tcp"', log)

    def test_only_a_server_for_tests_takes_one(self):
        ready, log = self.start("[]")
        self.assertIsNone(ready)
        self.assertIn("--test-mode or --admin", log)


class Calls(unittest.TestCase):
    def test_put_get_delete(self):
        with Daemon(*ADMIN) as daemon:
            self.assertEqual(faults(daemon, "GET"), (200, []))
            self.assertEqual(faults(daemon, "PUT", [NO_KEY, RESET]), (204, None))
            self.assertEqual(faults(daemon, "DELETE"), (204, None))
            self.assertEqual(faults(daemon, "GET"), (200, []))
            self.assertIn(b" 200 ", ask_key(daemon))
            self.assertEqual(faults(daemon, "PUT", [NO_KEY]), (204, None))
            self.assertEqual(faults(daemon, "GET"), (200, [{**NO_KEY, "seen": 0, "fired": 0}]))
            self.assertIn(b" 503 ", ask_key(daemon))
            self.assertIn(b" 200 ", ask_key(daemon))
            self.assertEqual(faults(daemon, "GET"), (200, [{**NO_KEY, "seen": 2, "fired": 1}]))
            self.assertEqual(faults(daemon, "PUT", "null"), (204, None))
            self.assertEqual(faults(daemon, "GET"), (200, []))

    def test_what_is_refused_changes_nothing(self):
        with Daemon(*ADMIN) as daemon:
            self.assertEqual(faults(daemon, "PUT", [NO_KEY])[0], 204)
            for body, told in [('[{"layer":"tcp","fault":"reset","nht":1}]', '1:33: unknown member "nht"'),
                               ("{}", "1:1: expected a list, found an object"),
                               ("", "1:1: neither JSON nor a comment nor a trailing comma, or nested too deep")]:
                self.assertEqual(faults(daemon, "PUT", body), (400, {"error": told}))
            self.assertEqual(len(faults(daemon, "GET")[1]), 1)


class Sockets(unittest.TestCase):
    """What only the system can do."""

    def meet(self, *rules):
        with Daemon(*ADMIN) as daemon:
            self.assertEqual(faults(daemon, "PUT", list(rules))[0], 204)
            yield daemon
            # The next one is served as if nothing had been.
            self.assertIn(b" 200 ", ask_key(daemon).split(b"\r\n")[0])
            self.assertEqual(run_client("key", daemon.url).returncode, 0)

    def test_reset(self):
        for daemon in self.meet(RESET):
            with self.assertRaises(ConnectionResetError):
                ask_key(daemon)

    def test_reset_behind_some_bytes(self):
        for daemon in self.meet({**RESET, "after": 12}):
            with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as sock:
                sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\n\r\n")
                with self.assertRaises(ConnectionResetError):
                    while sock.recv(100):
                        pass

    def test_half_close(self):
        for daemon in self.meet({"layer": "tcp", "fault": "half-close", "after": 12}):
            with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as sock:
                sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\n\r\n")
                got = b""
                while piece := sock.recv(100):
                    got += piece
                self.assertEqual(got, b"HTTP/1.1 200")
                time.sleep(0.2)
                sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\n\r\n")  # still taken

    def test_stall(self):
        for daemon in self.meet({"layer": "tcp", "fault": "stall", "after": 12, "delay": "1s"}):
            with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as sock:
                sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertEqual(sock.recv(100), b"HTTP/1.1 200")
                began = time.monotonic()
                self.assertTrue(sock.recv(100))
                self.assertGreater(time.monotonic() - began, 0.8)

    def test_split(self):
        for daemon in self.meet({"layer": "tcp", "fault": "split", "bytes": 50, "delay": "20ms"}):
            with socket.create_connection(("127.0.0.1", daemon.port), timeout=5) as sock:
                sock.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                pieces = []
                while piece := sock.recv(1000):
                    pieces.append(len(piece))
                self.assertGreater(len(pieces), 4)
                self.assertEqual(pieces[0], 50)

    def test_tls_is_cut_as_well(self):
        with tempfile.TemporaryDirectory() as folder:
            with Daemon(*ADMIN, "--tls-self-signed", folder, "--tls-listen", "127.0.0.1:0") as daemon:
                self.assertEqual(faults(daemon, "PUT", [{"layer": "tcp", "fault": "split", "count": 0}])[0], 204)
                answer = subprocess.run(["curl", "-s", "--cacert", daemon.ready["ca"], daemon.ready["url"] + "/key?v=138"],
                                        capture_output=True, timeout=20)
                self.assertIn("publicKey", json.loads(answer.stdout))
                self.assertEqual(faults(daemon, "GET")[1][0]["fired"], 1)


if __name__ == "__main__":
    main()
