# SPDX-License-Identifier: BSD-3-Clause
"""ts2021d and ts2021 as programs: their start and end, the outer site, keys, nodes."""

import http.client
import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import time
import unittest

from programs import CLIENT, SERVER, Daemon, main, run_client, start_client


class Start(unittest.TestCase):
    def test_ready_line_is_one_json_line(self):
        with Daemon() as daemon:
            self.assertEqual(set(daemon.ready), {"url", "auth_key", "pid"})
            self.assertEqual(daemon.ready["auth_key"], "test-key")
            self.assertEqual(daemon.ready["pid"], daemon.process.pid)
            daemon.process.terminate()
            self.assertEqual(daemon.process.stdout.read(), "")
            self.assertEqual(daemon.process.wait(), 0)

    def test_text_form_has_a_ready_made_command(self):
        process = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        lines = []
        while not lines or "tailscale up" not in lines[-1]:
            lines.append(process.stdout.readline())
            self.assertNotEqual(lines[-1], "")
        process.terminate()
        process.wait()
        process.stdout.close()
        self.assertRegex(lines[-1], r"tailscale up --login-server=http://127\.0\.0\.1:\d+ --auth-key=tskey-auth-[0-9a-f]{32}\n")

    def test_wrong_lines_are_refused(self):
        for flags in (["--nonsense"], ["--listen", "nowhere"], ["--listen", "127.0.0.1:99999"], ["--auth-key", 'a"b'],
                      ["--derp-map", "/does/not/exist"], ["--threads", "0"], ["--rotate-keys"],
                      ["--base-domain", "Upper.Case"]):
            with self.subTest(flags=flags):
                done = subprocess.run([SERVER, *flags], capture_output=True, text=True, timeout=10)
                self.assertNotEqual(done.returncode, 0)
                self.assertNotEqual(done.stderr, "")
                self.assertEqual(done.stdout, "")

    def test_unusable_derp_map_is_refused(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{"Regions":[1]}')
            file.flush()
            done = subprocess.run([SERVER, "--derp-map", file.name], capture_output=True, text=True, timeout=10)
            self.assertEqual(done.returncode, 1)
            self.assertIn("not a DERP map", done.stderr)

    def test_taken_port_is_refused(self):
        with Daemon() as daemon:
            done = subprocess.run([SERVER, "--listen", f"127.0.0.1:{daemon.port}"], capture_output=True, text=True, timeout=10)
            self.assertEqual(done.returncode, 1)
            self.assertIn("can't listen", done.stderr)


class End(unittest.TestCase):
    def test_sigterm_ends_within_a_second_with_open_streams(self):
        for threads in ("1", "3"):
            with self.subTest(threads=threads), Daemon("--threads", threads) as daemon:
                nodes = [start_client("map", daemon.url, "--auth-key", "test-key", "--hostname", f"n{i}", "--peers", "99")
                         for i in range(3)]
                for node in nodes:
                    self.assertRegex(node.stdout.readline(), "^registered")
                    self.assertRegex(node.stdout.readline(), "^self")
                begun = time.monotonic()
                daemon.process.send_signal(signal.SIGTERM)
                self.assertEqual(daemon.process.wait(timeout=5), 0)
                self.assertLess(time.monotonic() - begun, 1.0)
                for node in nodes:
                    self.assertEqual(node.wait(timeout=5), 2, "the poll must end with the server")
                    node.communicate()


    def test_sigterm_ends_within_a_second_under_load(self):
        with Daemon("--threads", "2") as daemon:
            nodes = [subprocess.Popen([CLIENT, "map", daemon.url, "--auth-key", "test-key", "--hostname", f"n{i}"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for i in range(40)]
            for _ in range(200):
                if daemon.log_text().count(" online ") == len(nodes):
                    break
                time.sleep(0.1)
            silent = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(40)]
            begun = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.process.wait(timeout=5), 0)
            self.assertLess(time.monotonic() - begun, 1.0)
            for s in silent:
                s.close()
            for node in nodes:
                self.assertEqual(node.wait(timeout=5), 2)


class OuterSite(unittest.TestCase):
    def test_health(self):
        with Daemon() as daemon:
            status, text, answer = daemon.get("/health")
            self.assertEqual((status, text), (200, b"ok\n"))
            self.assertEqual(daemon.get("/health", "HEAD")[:2], (200, b""))
            status, _, answer = daemon.get("/health", "POST", "x")
            self.assertEqual(status, 405)
            self.assertIn("GET", answer.getheader("Allow"))

    def test_key(self):  # SRV-1, SRV-2, SRV-6
        with Daemon() as daemon:
            status, text, answer = daemon.get("/key?v=138")
            self.assertEqual(status, 200)
            keys = json.loads(text)
            self.assertRegex(keys["publicKey"], "^mkey:[0-9a-f]{64}$")
            self.assertEqual(keys["legacyPublicKey"], "mkey:" + 64 * "0")
            self.assertEqual(answer.getheader("Cache-Control"), "no-store")  # SRV-5
            for query in ("v=abc", "v=-1", "v=99999999999999999999", "v=65536"):
                self.assertEqual(daemon.get("/key?" + query)[:2], (400, b"invalid capability version\n"))
            self.assertEqual(daemon.get("/key?v=138&v=abc")[0], 200)
            for method in ("POST", "PUT"):
                self.assertEqual(daemon.get("/key?v=138", method, "")[0], 405)
            done = run_client("key", daemon.url, "--json")
            self.assertEqual(json.loads(done.stdout), keys)
            bare = daemon.get("/key")[1].decode()
            self.assertRegex(bare, "^[0-9a-f]{64}$")
            both = json.loads(daemon.get("/key?v=60")[1])
            self.assertEqual(both["publicKey"], keys["publicKey"])
            self.assertEqual(both["legacyPublicKey"], "mkey:" + bare)
            self.assertNotEqual(both["publicKey"], both["legacyPublicKey"])

    def test_each_protocol_can_be_left_out(self):
        with Daemon("--no-ts2019") as daemon:
            self.assertEqual(daemon.get("/key")[:2], (400, b"capability version must be set\n"))
            self.assertEqual(json.loads(daemon.get("/key?v=60")[1])["legacyPublicKey"], "mkey:" + 64 * "0")
            self.assertEqual(daemon.get("/machine/" + 64 * "a", "POST", "x")[0], 501)
        with Daemon("--no-ts2021") as daemon:
            self.assertEqual(json.loads(daemon.get("/key?v=60")[1])["publicKey"], "mkey:" + 64 * "0")
            self.assertEqual(daemon.get("/key?v=138")[0], 503)
            done = run_client("map", daemon.url, "--auth-key", "test-key", "--capability", "60", "--protocol", "ts2021",
                              "--seconds", "5")
            self.assertEqual(done.returncode, 1)
            self.assertIn("no Noise key", done.stderr)
        both = subprocess.run([SERVER, "--no-ts2019", "--no-ts2021"], capture_output=True, text=True, timeout=10)
        self.assertNotEqual(both.returncode, 0)

    def test_unknown_paths(self):
        with Daemon() as daemon:
            for path in ("/", "/machine/register", "/machine/map", "/nothing"):
                # TS2019 has its rows below /machine/, for POST
                self.assertEqual(daemon.get(path)[0], 405 if path.startswith("/machine/") else 404)
                self.assertEqual(daemon.get(path, "POST", "{}")[0], 404)

    def test_a_stalling_stranger_costs_nobody_else(self):
        with Daemon() as daemon:
            silent = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(50)]
            for s in silent:
                s.sendall(b"POST /ts2021 HTTP/1.1\r\nHost: ")
            begun = time.monotonic()
            self.assertEqual(daemon.get("/health")[0], 200)
            self.assertLess(time.monotonic() - begun, 2.0)
            for s in silent:
                s.close()

    def test_without_descriptors_the_server_rests_and_recovers(self):
        with Daemon(descriptors=40) as daemon:
            crowd = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(80)]
            time.sleep(0.5)
            begun = daemon.cpu_seconds()
            time.sleep(2)
            self.assertLess(daemon.cpu_seconds() - begun, 0.5)
            self.assertEqual(daemon.log_text().count("can't accept connections"), 1)
            for s in crowd:
                s.close()
            self.assertEqual(daemon.get("/health")[0], 200)

    def test_a_client_that_half_closes_is_answered(self):
        with Daemon() as daemon, socket.create_connection(("127.0.0.1", daemon.port)) as s:
            s.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: h\r\n\r\n")
            s.shutdown(socket.SHUT_WR)
            begun = daemon.cpu_seconds()
            text = b""
            while piece := s.recv(4096):
                text += piece
            self.assertIn(b'"publicKey"', text)
            time.sleep(0.5)
            self.assertLess(daemon.cpu_seconds() - begun, 0.3)

    def test_clients_that_read_nothing_or_break_off_cost_no_time(self):
        with Daemon() as daemon:
            deaf = []
            for i in range(20):
                s = socket.create_connection(("127.0.0.1", daemon.port))
                s.setblocking(False)
                try:
                    for _ in range(60):
                        s.send(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" * 500)
                except BlockingIOError:
                    pass
                if i % 2:  # a reset
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    s.close()
                else:
                    deaf.append(s)
            self.assertEqual(daemon.get("/health")[0], 200)
            for _ in range(120):  # what has come is worked off, then there is rest
                begun = daemon.cpu_seconds()
                time.sleep(0.5)
                if daemon.cpu_seconds() - begun < 0.05:
                    break
            else:
                self.fail("the server does not come to rest")
            for s in deaf:
                s.close()

    def test_an_address_that_floods_is_refused(self):  # row 45
        with Daemon("--max-connects", "2") as daemon:
            answered = 0
            for _ in range(40):
                try:
                    answered += daemon.get("/health")[0] == 200
                except (http.client.HTTPException, OSError):
                    pass
            self.assertGreaterEqual(answered, 10)
            self.assertLess(answered, 30)
            time.sleep(1.1)
            self.assertEqual(daemon.get("/health")[0], 200)
        with Daemon() as daemon:
            for _ in range(400):
                self.assertEqual(daemon.get("/health")[0], 200)


class Log(unittest.TestCase):
    def test_a_reader_that_stalls_holds_nobody_up(self):
        taken, given = os.pipe()
        with Daemon("--verbose", stderr=given) as daemon:
            os.close(given)
            for _ in range(800):  # two lines each: well over the 64 KiB of a pipe
                self.assertEqual(daemon.get("/health")[0], 200)
            text = os.read(taken, 1 << 20).decode()
            self.assertNotIn("dropped", text)
            self.assertEqual(text[-1], "\n")
            self.assertEqual(daemon.get("/health")[0], 200)
            while "connected" not in text.partition("dropped")[2]:
                text += os.read(taken, 1 << 20).decode()
            lost = int(re.search(r"\n(\d+) lines of the log were dropped", text).group(1))
            kept = len(re.findall(r"\d: (?:connected|closed)", text.partition("dropped")[0]))
            self.assertLess(abs(kept + lost - 1600), 8)
            os.close(taken)
            self.assertEqual(daemon.get("/health")[0], 200, "a log that nobody reads any more")


class Keys(unittest.TestCase):
    def test_without_state_dir_keys_are_new_every_time(self):
        with Daemon() as one, Daemon() as two:
            self.assertNotEqual(one.noise_key(), two.noise_key())

    def test_state_dir_keeps_the_keys_private(self):
        with tempfile.TemporaryDirectory() as parent:
            state = os.path.join(parent, "state")
            with Daemon("--state-dir", state) as daemon:
                first = daemon.noise_key()
            self.assertEqual(sorted(os.listdir(state)), ["control-nacl.key", "control-noise.keys", "identity-token.key"])
            for name in os.listdir(state):
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(state, name)).st_mode), 0o600)
            with Daemon("--state-dir", state) as daemon:
                self.assertEqual(daemon.noise_key(), first)

    def test_rotation_keeps_four_old_keys(self):
        with tempfile.TemporaryDirectory() as state:
            seen = []
            for turn in range(7):
                with Daemon("--state-dir", state, *(["--rotate-keys"] if turn else [])) as daemon:
                    seen.append(daemon.noise_key())
            self.assertEqual(len(set(seen)), 7)
            with open(os.path.join(state, "control-noise.keys")) as file:
                lines = file.read().split()
            self.assertEqual(len(lines), 5)
            for line in lines:
                self.assertRegex(line, "^privkey:[0-9a-f]{64}$")

    def test_equal_keys_are_refused(self):  # row 6, KEY-6
        with tempfile.TemporaryDirectory() as state:
            with Daemon("--state-dir", state):
                pass
            with open(os.path.join(state, "control-noise.keys")) as file:
                key = file.read()
            with open(os.path.join(state, "control-nacl.key"), "w") as file:
                file.write(key)
            done = subprocess.run([SERVER, "--state-dir", state, "--listen", "127.0.0.1:0"], capture_output=True,
                                  text=True, timeout=10)
            self.assertEqual(done.returncode, 1)
            self.assertIn("are the same", done.stderr)

    def test_spoilt_key_files_are_refused_without_showing_them(self):
        with tempfile.TemporaryDirectory() as state:
            for text in ("", "privkey:12", "mkey:" + 64 * "a", "privkey:" + 64 * "0", "secretsecret"):
                with open(os.path.join(state, "control-noise.keys"), "w") as file:
                    file.write(text)
                done = subprocess.run([SERVER, "--state-dir", state, "--listen", "127.0.0.1:0"], capture_output=True,
                                      text=True, timeout=10)
                self.assertEqual(done.returncode, 1)
                self.assertIn("control-noise.keys", done.stderr)
                if text:
                    self.assertNotIn(text, done.stderr)


class Nodes(unittest.TestCase):
    def test_two_nodes_see_each_other_over_both_doors(self):
        with Daemon("--threads", "3", "--base-domain", "tail.example") as daemon:
            one = start_client("map", daemon.url, "--auth-key", "test-key", "--hostname", "one", "--peers", "1", "--seconds", "20")
            two = start_client("map", daemon.url, "--auth-key", "test-key", "--hostname", "two", "--peers", "1", "--seconds", "20",
                               "--websocket", "--no-compression")
            out = [node.communicate(timeout=30)[0] for node in (one, two)]
            self.assertRegex(out[0], r"self \d+ one\.tail\.example\. 100\.\d+\.\d+\.\d+ fd7a:115c:a1e0:")
            self.assertRegex(out[0], r"peer \d+ two\.tail\.example\.")
            self.assertRegex(out[1], r"peer \d+ one\.tail\.example\.")
            log = daemon.log_text()
            for name in ("one", "two"):
                self.assertRegex(log, f"joined {name} ")
            self.assertNotIn("test-key", log)

    def test_a_wrong_key_is_refused_and_logged_without_it(self):
        with Daemon() as daemon:
            done = run_client("map", daemon.url, "--auth-key", "wrong-key", "--seconds", "10")
            self.assertEqual(done.returncode, 3)
            self.assertIn("invalid auth key", done.stderr)
            log = daemon.log_text()
            self.assertRegex(log, "refused .*: invalid auth key")
            self.assertNotIn("wrong-key", log)
            self.assertNotIn("test-key", log)

    def test_a_node_that_comes_back_keeps_its_address(self):
        with Daemon() as daemon, tempfile.TemporaryDirectory() as parent:
            state = os.path.join(parent, "node")
            lines = [run_client("map", daemon.url, "--auth-key", "test-key", "--state", state, "--seconds", "1").stdout
                     for _ in range(2)]
            selves = [re.search(r"self (\d+) (\S+) (\S+) (\S+)", text).groups() for text in lines]
            self.assertEqual(selves[0], selves[1])

    def test_leaving_is_seen_within_five_seconds(self):
        with Daemon() as daemon:
            stays = start_client("map", daemon.url, "--auth-key", "test-key", "--hostname", "stays", "--seconds", "20")
            leaves = start_client("map", daemon.url, "--auth-key", "test-key", "--hostname", "leaves", "--peers", "1")
            self.assertEqual(leaves.wait(timeout=10), 0)
            leaves.communicate()
            begun = time.monotonic()
            for line in iter(stays.stdout.readline, ""):
                if re.match(r"peer \d+ \S+ Online yes -> no", line):
                    break
            self.assertLess(time.monotonic() - begun, 5.0)
            stays.kill()
            stays.communicate()


if __name__ == "__main__":
    main()
