# SPDX-License-Identifier: BSD-3-Clause
"""The admin API as a program offers it: its listener, its ends, and what makes runs repeatable."""

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import unittest

from programs import SERVER, Daemon, main, refusal, run_client, start_client

TCP = ("--admin", "127.0.0.1:0")
WAIT = "/admin/events?type=set-dns&timeout="  # nobody does that: waits that long


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


class Admin:
    """One connection to the admin API."""

    def __init__(self, daemon, token=None):
        where = daemon.ready["admin"]
        self.headers = {"Authorization": "Bearer " + token} if token else {}
        self.connection = (UnixConnection(where[5:]) if where.startswith("unix:")
                           else http.client.HTTPConnection(where.removeprefix("http://"), timeout=20))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def start(self, method, path, body=None, headers=()):
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.connection.request(method, path, body, {**self.headers, **dict(headers)})

    def answer(self):
        answer = self.connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text) if text else None, answer

    def call(self, *request, **more):
        self.start(*request, **more)
        return self.answer()[:2]

    def __call__(self, *request, **more):
        """The body of an answer that must be good."""
        status, body = self.call(*request, **more)
        assert status < 300, (request, status, body)
        return body


def socket_of(daemon):
    host, port = daemon.ready["admin"].removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)))


def join(daemon, hostname="one", *flags):
    """A node that stays until it is killed."""
    node = start_client("map", daemon.url, "--auth-key", daemon.ready["auth_key"], "--hostname", hostname, *flags)
    assert node.stdout.readline().startswith("registered"), node.stderr.read()
    return node


def end(node):
    node.kill()
    node.communicate()


class Ready(unittest.TestCase):
    def test_the_line_has_the_url_of_the_admin_api(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            self.assertEqual(set(daemon.ready), {"url", "auth_key", "admin", "pid"})
            self.assertRegex(daemon.ready["admin"], r"^http://127\.0\.0\.1:\d+$")
            self.assertNotEqual(daemon.ready["admin"], daemon.url)
            self.assertEqual(admin("GET", "/admin/config")["baseURL"], daemon.url)

    def test_how_long_a_start_takes(self):
        times = []
        for _ in range(10):
            begun = time.monotonic()
            with Daemon(*TCP, "--test-mode") as daemon:
                times.append(time.monotonic() - begun)
                self.assertIsNotNone(daemon.ready)
        print(f"start to ready line: {min(times) * 1e3:.0f} to {max(times) * 1e3:.0f} ms")  # no judgement: see README

    def test_wrong_flags_are_refused(self):
        for flags, why in ((["--admin", "nowhere"], "--admin"), (["--admin", "unix:"], "--admin"),
                           (["--admin-token", "x"], "--admin"), ([*TCP, "--admin-token", "a b"], "a token has"),
                           ([*TCP, "--admin-token", ""], "a token has"), (["--clock", "virtual"], "--admin"),
                           ([*TCP, "--clock", "sun"], "--clock"), (["--seed", "-1"], "--seed"),
                           (["--seed", "x"], "--seed"), (["--seed", "1", "--state-dir", "x"], "--state-dir"),
                           (["--admin", "0.0.0.0:0"], "--admin-token is needed"),
                           (["--admin", "[::]:0"], "--admin-token is needed"),
                           (["--admin", "unix:" + 200 * "x"], "can't listen")):
            with self.subTest(flags=flags):
                self.assertIn(why, refusal(*flags))


class Listener(unittest.TestCase):
    def test_requests_follow_each_other_on_one_connection(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            own = None
            for method, path, body, status in 3 * [
                    ("GET", "/admin/stats", None, 200), ("HEAD", "/admin/stats", None, 200), ("GET", "/nothing", None, 404),
                    ("DELETE", "/admin/stats", None, 405), ("PUT", "/admin/derpmap", {"Regions": {}}, 204),
                    ("PUT", "/admin/derpmap", b"{", 400), ("POST", "/nothing", b"x" * 10000, 404),
                    ("GET", "/ts2021", None, 404), ("GET", "/admin/nodes/%zz", None, 400)]:
                got, answer = admin.call(method, path, body)
                self.assertEqual(got, status, (method, path, answer))
                if status >= 400:
                    self.assertEqual(list(answer), ["error"])
                    self.assertTrue(answer["error"])
                own = own or admin.connection.sock
                self.assertIs(admin.connection.sock, own, "the connection was closed")

    def test_wrong_methods_are_told_the_right_ones(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            admin.start("PUT", "/admin/stats", {})
            status, answer, head = admin.answer()
            self.assertEqual((status, answer), (405, {"error": "method not allowed"}))
            self.assertEqual(head.getheader("Allow"), "GET, HEAD")
            self.assertEqual(head.getheader("Content-Type"), "application/json")

    def test_it_is_not_on_the_public_port(self):
        with Daemon(*TCP, "--test-mode") as daemon:
            for path in ("/admin/stats", "/admin/nodes", "/admin/openapi.json"):
                self.assertEqual(daemon.get(path)[0], 404)
            self.assertEqual(daemon.get("/admin/reset", "POST", "{}")[0], 404)

    def test_a_waiting_call_holds_nobody_up(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as waiting, Admin(daemon) as admin:
            waiting.start("GET", WAIT + "2s")
            begun = time.monotonic()
            for _ in range(20):
                admin("GET", "/admin/stats")
            self.assertLess(time.monotonic() - begun, 1.5)
            self.assertEqual(waiting.answer()[1]["events"], [])
            self.assertGreater(time.monotonic() - begun, 1.9)

    def test_256_connections_and_then_the_next(self):
        with Daemon(*TCP) as daemon:
            crowd = [Admin(daemon) for _ in range(256)]
            for admin in crowd[:-1]:
                admin.start("GET", WAIT + "10m")
            crowd[-1]("GET", "/admin/stats")
            with Admin(daemon) as late:
                late.start("GET", "/admin/stats")
                late.connection.sock.settimeout(0.3)
                with self.assertRaises(TimeoutError):
                    late.answer()
                crowd.pop().connection.close()
            with Admin(daemon) as late:
                late("GET", "/admin/stats")
            for admin in crowd:  # who leaves takes his call with him
                admin.connection.close()
            for _ in range(300):
                with Admin(daemon) as late:
                    late("GET", "/admin/stats")

    def test_who_hangs_up_loses_nothing(self):
        with Daemon(*TCP, "--test-mode") as daemon, Admin(daemon) as admin:
            hold = admin("POST", "/admin/holds", {"on": "register", "timeout": "20s"})["id"]
            with Admin(daemon) as fickle:
                fickle.start("GET", f"/admin/holds/{hold}/next?timeout=10m")
                time.sleep(0.2)
            time.sleep(0.2)
            node = start_client("map", daemon.url, "--auth-key", "k")
            call = admin("GET", f"/admin/holds/{hold}/next?timeout=10s")
            self.assertEqual(call["on"], "register")
            admin("POST", f"/admin/holds/{hold}/calls/{call['call']}", {"action": "continue"})
            self.assertRegex(node.stdout.readline(), "^registered")
            end(node)

    def test_who_stops_sending_after_a_request_is_answered(self):
        with Daemon(*TCP) as daemon, socket_of(daemon) as s:
            s.sendall(b"GET /admin/stats HTTP/1.1\r\nHost: localhost\r\n\r\n")
            time.sleep(0.2)
            s.shutdown(socket.SHUT_WR)
            text = b""
            while piece := s.recv(4096):
                text += piece
            self.assertIn(b'"unhandled"', text)

    def test_long_bodies(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            relays = {"Regions": {str(i): {"RegionID": i, "RegionCode": "c", "RegionName": 100 * "n", "Nodes": []}
                                  for i in range(1, 30000)}}
            admin("PUT", "/admin/derpmap", relays)
            self.assertEqual(len(admin("GET", "/admin/derpmap")["Regions"]), 29999)
            admin.connection.putrequest("PUT", "/admin/derpmap")
            admin.connection.putheader("Content-Length", str((256 << 20) + 1))
            admin.connection.endheaders()
            status, answer, _ = admin.answer()
            self.assertEqual((status, answer), (413, {"error": "request body too large"}))

    def test_pages_of_other_sites_are_kept_out(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            own = daemon.ready["admin"]
            for origin, status in (("http://evil.example", 403), ("null", 403), (daemon.url, 403), (own, 200)):
                self.assertEqual(admin.call("GET", "/admin/stats", headers={"Origin": origin})[0], status, origin)
            port = own.rsplit(":", 1)[1]
            for host, status in (("evil.example", 403), ("localhost", 200), ("[::1]", 200), ("127.0.0.1", 200)):
                self.assertEqual(admin.call("GET", "/admin/stats", headers={"Host": f"{host}:{port}"})[0], status, host)
        with Daemon(*TCP, "--admin-token", "t") as daemon, Admin(daemon) as admin:
            headers = {"Host": "server.example", "Authorization": "Bearer t"}
            self.assertEqual(admin.call("GET", "/admin/stats", headers=headers)[0], 200)

    def test_requests_for_unknown_paths_are_counted_before_they_are_answered(self):
        with Daemon(*TCP, "--threads", "2") as daemon, Admin(daemon) as admin:
            for i in range(1, 60):
                self.assertEqual(daemon.get(f"/nowhere/{i}")[0], 404)
                self.assertEqual(admin("GET", "/admin/stats")["unhandled"], i)
            events = admin("GET", "/admin/events?type=unhandled&timeout=0s")["events"]
            self.assertEqual(events[0]["path"], "/nowhere/1")
            self.assertEqual((events[0]["method"], events[0]["inside"]), ("GET", False))


class Token(unittest.TestCase):
    def check(self, *flags):
        with Daemon(*TCP, *flags) as daemon:
            for wrong in (None, "secre", "secret2", "Secret"):
                for path in ("/admin/stats", "/nothing"):
                    with Admin(daemon, wrong) as admin:
                        admin.start("GET", path)
                        status, answer, head = admin.answer()
                        self.assertEqual((status, answer), (401, {"error": "unauthorized"}))
                        self.assertEqual(head.getheader("WWW-Authenticate"), "Bearer")
            with Admin(daemon, "secret") as admin:
                admin("GET", "/admin/stats")
                self.assertEqual(admin.call("GET", "/nothing")[0], 404)

    def test_nothing_goes_without_it(self):
        self.check("--admin-token", "secret")

    def test_it_may_stand_in_a_file(self):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("secret\n")
            file.flush()
            self.check("--admin-token-file", file.name)

    def test_other_machines_may_come_with_it(self):
        with Daemon("--admin", "0.0.0.0:0", "--admin-token", "secret") as daemon, Admin(daemon, "secret") as admin:
            admin("GET", "/admin/stats")


class UnixSocket(unittest.TestCase):
    def test_a_socket_for_our_user_only(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "admin.sock")
            with Daemon("--admin", "unix:" + path) as daemon, Admin(daemon) as admin:
                self.assertEqual(daemon.ready["admin"], "unix:" + path)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
                admin("GET", "/admin/stats")
                self.assertEqual(admin.call("GET", "/nothing")[0], 404)
                self.assertIn("can't listen", refusal("--admin", "unix:" + path))  # it is in use
                admin("GET", "/admin/stats")
                daemon.process.terminate()
                self.assertEqual(daemon.process.wait(5), 0)
                self.assertFalse(os.path.exists(path))

    def test_a_left_over_socket_is_replaced_but_no_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "admin.sock")
            with Daemon("--admin", "unix:" + path) as daemon:
                daemon.process.kill()
                daemon.process.wait()
            self.assertTrue(os.path.exists(path))
            with Daemon("--admin", "unix:" + path) as daemon, Admin(daemon) as admin:
                admin("GET", "/admin/stats")
            with open(os.path.join(folder, "file"), "w") as file:
                file.write("precious")
            self.assertIn("can't listen", refusal("--admin", "unix:" + file.name))
            with open(file.name) as file:
                self.assertEqual(file.read(), "precious")


class End(unittest.TestCase):
    def test_sigterm_ends_within_a_second_with_waiting_calls(self):
        with Daemon(*TCP, "--test-mode") as daemon, Admin(daemon) as admin:
            hold = admin("POST", "/admin/holds", {"on": "register", "timeout": "10m"})["id"]
            held = start_client("map", daemon.url, "--auth-key", "k")
            admin("GET", f"/admin/holds/{hold}/next?timeout=10s")
            waiting = [Admin(daemon) for _ in range(50)]
            for call in waiting:
                call.start("GET", WAIT + "10m")
            begun = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.process.wait(timeout=5), 0)
            self.assertLess(time.monotonic() - begun, 1.0)
            for call in waiting:
                with self.assertRaises((http.client.HTTPException, OSError)):
                    call.answer()
                call.connection.close()
            held.communicate(timeout=10)


class Reset(unittest.TestCase):
    def test_a_fresh_state_in_the_same_process(self):
        with Daemon(*TCP, "--threads", "2", "--test-mode") as daemon, Admin(daemon) as admin:
            key = daemon.noise_key()
            for turn in range(3):
                nodes = [join(daemon, f"n{i}") for i in range(4)]
                self.assertEqual([n["ID"] for n in admin("GET", "/admin/nodes")], [1, 2, 3, 4])
                with socket.create_connection(("127.0.0.1", daemon.port)) as silent:
                    admin("PATCH", "/admin/config", {"allOnline": True})
                    admin("POST", "/admin/reset", {})
                    self.assertEqual(admin("GET", "/admin/nodes"), [])
                    self.assertFalse(admin("GET", "/admin/config")["allOnline"])
                    silent.settimeout(5)
                    self.assertEqual(silent.recv(1), b"", "a connection that has said nothing ends, too")
                for node in nodes:
                    self.assertEqual(node.wait(timeout=10), 2, "the poll must end")
                    node.communicate()
                self.assertEqual(admin("GET", "/admin/stats")["inServeMap"], 0)
            self.assertEqual(daemon.noise_key(), key)
            self.assertEqual(admin("GET", "/admin/nodes"), [], "what was on its way belongs to the old state")

    def test_new_keys_are_refused_and_nothing_happens(self):
        with Daemon(*TCP, "--test-mode") as daemon, Admin(daemon) as admin:
            node = join(daemon)
            status, answer = admin.call("POST", "/admin/reset", {"keys": True})
            self.assertEqual(status, 501)
            self.assertIn("keys", answer["error"])
            self.assertEqual(admin("GET", "/admin/nodes?count=1"), {"count": 1})
            self.assertIsNone(node.poll())
            end(node)

    def test_under_load(self):
        with Daemon(*TCP, "--threads", "2", "--test-mode") as daemon, Admin(daemon) as admin:
            stop = threading.Event()

            def crowd():
                while not stop.is_set():
                    run_client("map", daemon.url, "--auth-key", "k", "--seconds", "1")
            threads = [threading.Thread(target=crowd) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(30):
                admin("POST", "/admin/reset", {})
                time.sleep(0.05)
            stop.set()
            for thread in threads:
                thread.join()
            admin("POST", "/admin/reset", {})
            self.assertEqual(admin("GET", "/admin/nodes"), [])
            node = join(daemon)
            self.assertEqual([n["ID"] for n in admin("GET", "/admin/nodes")], [1])
            end(node)


class Clock(unittest.TestCase):
    def test_time_stands_until_it_is_moved(self):
        with Daemon(*TCP, "--clock", "virtual") as daemon, Admin(daemon) as admin:
            first = admin("GET", "/admin/clock")["now"]
            self.assertTrue(first.startswith("2020-08-03T00:00:00"), first)
            time.sleep(0.1)
            self.assertEqual(admin("GET", "/admin/clock")["now"], first)
            admin("POST", "/admin/clock/advance", {"by": "90s"})
            self.assertTrue(admin("GET", "/admin/clock")["now"].startswith("2020-08-03T00:01:30"))
            admin("PUT", "/admin/clock", {"now": "2031-02-03T04:05:06Z"})
            admin("POST", "/admin/clock/advance", {"by": "1s"})
            self.assertTrue(admin("GET", "/admin/clock")["now"].startswith("2031-02-03T04:05:07"))
            admin("POST", "/admin/reset", {})
            self.assertEqual(admin("GET", "/admin/clock")["now"], first)

    def test_the_systems_time_is_not_ours_to_move(self):
        with Daemon(*TCP) as daemon, Admin(daemon) as admin:
            self.assertEqual(admin.call("POST", "/admin/clock/advance", {"by": "1s"})[0], 409)
            self.assertEqual(admin.call("PUT", "/admin/clock", {"now": "2031-02-03T04:05:06Z"})[0], 409)

    def test_what_falls_due_happens_in_no_time(self):
        with Daemon(*TCP, "--clock", "virtual", key="e,ephemeral") as daemon, Admin(daemon) as admin:
            node = start_client("map", daemon.url, "--auth-key", "e", "--raw")
            node.stdout.readline()
            admin("POST", "/admin/clock/advance", {"by": "59s"})
            self.assertEqual(json.loads(node.stdout.readline()).get("KeepAlive"), True)
            end(node)
            for _ in range(100):
                if admin("GET", "/admin/stats")["inServeMap"] == 0:
                    break
                time.sleep(0.05)
            admin("POST", "/admin/clock/advance", {"by": "29m"})
            self.assertEqual(admin("GET", "/admin/nodes?count=1"), {"count": 1})
            admin("POST", "/admin/clock/advance", {"by": "3m"})
            self.assertEqual(admin("GET", "/admin/nodes?count=1"), {"count": 0})

    def test_a_long_leap_holds_nobody_up(self):
        with Daemon(*TCP, "--clock", "virtual", "--test-mode") as daemon, Admin(daemon) as admin, Admin(daemon) as other:
            node = join(daemon)
            admin.start("POST", "/admin/clock/advance", {"by": f"{30 * 24}h"})
            begun = time.monotonic()
            other("GET", "/admin/stats")
            self.assertLess(time.monotonic() - begun, 2)
            self.assertEqual(admin.answer()[0], 204)
            end(node)


class Seed(unittest.TestCase):
    def run_with(self, *flags):
        """All that a run makes of its randomness."""
        done = subprocess.Popen([SERVER, "--listen", "127.0.0.1:0", *TCP, "--json", *flags], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True)
        try:
            daemon = type("", (), {})()
            daemon.ready = json.loads(done.stdout.readline())
            daemon.url = daemon.ready["url"]
            key = json.loads(run_client("key", daemon.url, "--json").stdout)
            with Admin(daemon) as admin:
                states = []
                for _ in range(2):
                    for hex_digit in "123":
                        admin("PUT", "/admin/nodes/nodekey:" + 64 * hex_digit, {"Name": "n" + hex_digit + "."})
                    admin("POST", "/admin/clock/advance", {"by": "10s"})
                    preview = admin("POST", "/admin/map-preview", {"NodeKey": "nodekey:" + 64 * "2"})
                    fake = admin("POST", "/admin/nodes/fake", {"count": 2})["keys"]
                    states.append((json.dumps(preview), fake))
                    admin("POST", "/admin/reset", {})
            return key, daemon.ready["auth_key"], states
        finally:
            done.terminate()
            done.wait()
            done.stdout.close()

    def test_equal_seeds_make_equal_runs(self):
        flags = ("--clock", "virtual", "--test-mode")
        one, two = self.run_with("--seed", "7", *flags), self.run_with("--seed", "7", *flags)
        self.assertEqual(one, two)
        other, none = self.run_with("--seed", "8", *flags), self.run_with(*flags)
        for i in range(2):
            self.assertEqual(len({json.dumps(run[i]) for run in (one, other, none)}), 3)

    def test_a_reset_begins_the_same_again(self):
        states = self.run_with("--seed", "7", "--clock", "virtual", "--test-mode")[2]
        self.assertEqual(states[0], states[1])

    def test_help_says_what_it_is_for(self):
        text = subprocess.run([SERVER, "--help"], capture_output=True, text=True, timeout=10).stdout
        self.assertIn("For tests only", " ".join(text.split()))


class LoginPage(unittest.TestCase):
    def test_the_page_of_test_mode_lets_a_node_in(self):
        with Daemon(*TCP, "--test-mode") as daemon, Admin(daemon) as admin:
            admin("PATCH", "/admin/config", {"requireAuth": True})
            node = start_client("map", daemon.url, "--hostname", "one")
            try:
                line = node.stderr.readline()
                self.assertTrue(line.startswith("log in at " + daemon.url + "/auth/"), line)
                path = line.strip().removeprefix("log in at " + daemon.url)
                registers = admin("GET", "/admin/events?type=register&timeout=0s")["events"]
                self.assertEqual(registers[0]["result"], "auth-url")
                status, page, _ = daemon.get(path)
                self.assertEqual(status, 200)
                self.assertIn(b"Connect this machine?", page)
                self.assertEqual(daemon.get("/auth/0123456789abcdef0123")[0], 404)
                done = daemon.get(path, "POST", "decision=connect&login_name=alice%40example.com")
                self.assertEqual(done[0], 200)
                self.assertTrue(admin("GET", "/admin/events?type=auth-complete&timeout=10s")["events"])
            finally:
                end(node)


if __name__ == "__main__":
    main()
