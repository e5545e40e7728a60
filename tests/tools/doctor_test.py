# SPDX-License-Identifier: BSD-3-Clause
"""ts2021 doctor: names the hop that breaks in set-ups that are broken on purpose, and nothing in those that are not."""

import functools
import http.client
import http.server
import json
import shutil
import threading
import unittest
import urllib.parse

from programs import Daemon, main, run_client
from proxies import UPGRADE, Authority, Deaf, Haproxy, Listener, Nginx, free_port, missing, relay

ADMIN = ("--admin", "127.0.0.1:0")
KEY = ("--auth-key", "test-key")


def passing(port, more=""):
    return "location / { proxy_pass http://127.0.0.1:%d; %s %s }" % (port, UPGRADE, more)


def set_faults(daemon, *rules):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(daemon.ready["admin"]).netloc, timeout=10)
    connection.request("PUT", "/admin/faults", json.dumps(rules))
    assert connection.getresponse().status == 204
    connection.close()


class DoctorTest(unittest.TestCase):
    def setUp(self):
        absent = missing()
        if absent and self.needs_proxies:
            self.assertFalse(shutil.which("go"), "a machine for all tests lacks " + ", ".join(absent))
            self.skipTest("not installed: " + ", ".join(absent))

    needs_proxies = False

    def look(self, url, *flags):
        if url.startswith("https:") and "--plain-port" not in flags:
            flags += ("--plain-port", str(free_port()))
        if "--timeout" not in flags:
            flags += ("--timeout", "3")
        done = run_client("doctor", url, "--json", *flags, timeout=60)
        self.assertTrue(done.stdout, done)
        report = json.loads(done.stdout)
        self.assertEqual(report["exitCode"], done.returncode)
        return report

    def assert_good(self, url, *flags):
        report = self.look(url, *flags)
        self.assertEqual((report["class"], report["exitCode"]), ("good", 0), json.dumps(report, indent=1))
        self.assertNotIn("hop", report)
        return report

    def assert_breaks(self, ailment, exit_code, hop, url, *flags):
        report = self.look(url, *flags)
        self.assertEqual((report["class"], report["exitCode"], report.get("hop"), report.get("way")), (ailment, exit_code, *hop),
                         json.dumps(report, indent=1))
        self.assertTrue(report["causes"])
        self.assertTrue(report["advice"].endswith("."))
        return report

    def facts(self, report, hop):
        return [record for record in report["walk"] if record["hop"] == hop]


class Good(DoctorTest):
    needs_proxies = True

    def test_directly(self):
        with Daemon() as daemon:
            report = self.assert_good(daemon.url, *KEY, "--keep-alive", "0.5")
            verdicts = [(record["hop"], record.get("way"), record["verdict"]) for record in report["walk"]]
            self.assertEqual(verdicts, [("name", None, "ok"), ("port", "plain", "ok"), ("key", "plain", "ok")] + [
                (hop, way, "ok") for way in ("plain", "websocket") for hop in ("upgrade", "noise", "early", "http2")] + [
                (hop, "plain", "ok") for hop in ("register", "map", "keep-alive")])

    def test_without_a_key_nothing_is_registered(self):
        with Daemon(*ADMIN) as daemon:
            report = self.assert_good(daemon.url)
            self.assertEqual([record["verdict"] for record in report["walk"][-3:]], ["skipped"] * 3)

    def test_as_text(self):
        with Daemon() as daemon:
            done = run_client("doctor", daemon.url)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"(?m)^ok +upgrade \(plain\) +\d+\.\d ms  status 101$")
            self.assertTrue(done.stdout.endswith("good: everything that was tried works\n"), done.stdout)

    def test_https_of_its_own(self):
        with Authority() as authority, Daemon("--tls-listen", "127.0.0.1:0", "--tls-cert", authority.make("good")[0],
                                              "--tls-key", authority.path("good.key")) as daemon:
            report = self.assert_good(daemon.url, "--ca", authority.ca, "--plain-port", str(daemon.port), *KEY)
            self.assertEqual({record["way"] for record in self.facts(report, "http2")}, {"plain", "tls", "websocket"})

    def test_nginx(self):
        with Daemon() as daemon, Nginx(passing(daemon.port)) as nginx:
            self.assert_good(nginx.url(), *KEY, "--keep-alive", "1")

    def test_nginx_buffers_no_tunnels(self):
        with Daemon() as daemon, Nginx(passing(daemon.port, "proxy_buffering on; proxy_buffers 8 64k; proxy_request_buffering on;")) as nginx:
            self.assert_good(nginx.url(), *KEY)

    def test_nginx_with_https_whose_plain_port_redirects(self):
        with Authority() as authority, Daemon() as daemon, Nginx("TLS; " + passing(daemon.port), "return 301 https://$host:PORT0$request_uri;",
                                                                 certificate=authority.make("good")) as nginx:
            report = self.assert_good(nginx.url(0, "https"), "--ca", authority.ca, "--plain-port", str(nginx.ports[1]), *KEY)
            self.assertEqual([record["verdict"] for record in self.facts(report, "upgrade")], ["warning", "ok", "ok"])

    def test_nginx_that_prefers_http2(self):
        with Authority() as authority, Daemon() as daemon, Nginx(
                "TLS; HTTP2; " + passing(daemon.port), certificate=authority.make("good")) as nginx:
            report = self.assert_good(nginx.url(0, "https"), "--ca", authority.ca, *KEY)
            self.assertEqual(self.facts(report, "tls")[0]["alpn"], "h2")

    def test_a_plain_port_that_leads_elsewhere_is_only_a_warning(self):
        with Authority() as authority, Daemon() as daemon, Daemon() as other, Nginx(
                "TLS; " + passing(daemon.port), certificate=authority.make("good")) as nginx:
            report = self.assert_good(nginx.url(0, "https"), "--ca", authority.ca, "--plain-port", str(other.port))
            self.assertEqual(self.facts(report, "noise")[0]["what"], "cut-after-101")
            self.assertEqual(self.facts(report, "noise")[0]["verdict"], "warning")

    def test_haproxy(self):
        with Daemon() as daemon, Haproxy(daemon.port) as haproxy:
            self.assert_good(haproxy.url(), *KEY)

    def test_haproxy_with_https(self):
        with Authority() as authority, Daemon() as daemon, Haproxy(
                daemon.port, bind="ssl crt " + authority.bundle("good") + " alpn h2,http/1.1") as haproxy:
            self.assert_good(haproxy.url("https"), "--ca", authority.ca, *KEY)


class BehindNginx(DoctorTest):
    needs_proxies = True

    def breaks(self, ailment, exit_code, hop, server, *flags, **more):
        with Daemon() as daemon, Nginx(server.replace("DAEMON", str(daemon.port)), **more) as nginx:
            return self.assert_breaks(ailment, exit_code, hop, nginx.url(), *flags)

    def test_upgrade_is_not_passed(self):
        report = self.breaks("upgrade-stripped", 31, ("upgrade", "plain"), "location / { proxy_pass http://127.0.0.1:DAEMON; }")
        self.assertIn("proxy_set_header Upgrade", report["advice"])

    def test_redirects_to_https(self):
        report = self.breaks("redirect", 24, ("key", "plain"), "return 301 https://$host$request_uri;")
        self.assertIn("https URL", report["advice"])

    def test_redirects_the_upgrade(self):
        self.breaks("redirect", 24, ("upgrade", "plain"),
                    "location = /key { proxy_pass http://127.0.0.1:DAEMON; } location / { return 308 https://$host$request_uri; }")

    def test_own_page_for_the_upgrade(self):
        report = self.breaks("proxy-page", 22, ("upgrade", "plain"), "location = /key { proxy_pass http://127.0.0.1:DAEMON; } location / { return 404; }")
        self.assertIn("nginx", report["causes"][0])

    def test_own_page_for_the_key(self):
        self.breaks("proxy-page", 22, ("key", "plain"), "location = /key { return 404; } " + passing(0).replace(":0;", ":DAEMON;"))

    def test_nothing_for_old_versions(self):
        """headscale answers them 200 and an empty body."""
        key = "location = /key { if ($arg_v = 60) { return 200; } proxy_pass http://127.0.0.1:DAEMON; } "
        report = self.breaks("version-refused", 28, ("key", "plain"), key + passing(0).replace(":0;", ":DAEMON;"), "--capability", "60")
        self.assertIn("148", report["causes"][0])

    def test_own_page_for_all(self):
        report = self.breaks("not-control", 21, ("key", "plain"), "location / { return 404; }")
        self.assertEqual(len(report["causes"]), 2)  # it can't be known whether something is behind it

    def test_cuts_idle_streams(self):
        report = self.breaks("idle-cut", 45, ("keep-alive", "plain"), passing(0, "proxy_read_timeout 2s;").replace(":0;", ":DAEMON;"),
                             *KEY, "--keep-alive", "10")
        self.assertAlmostEqual(report["walk"][-1]["seconds"], 2, delta=1)

    def test_nobody_behind_it(self):
        self.breaks("backend-down", 23, ("key", "plain"), passing(free_port()))

    def test_limits_requests(self):
        self.breaks("rate-limited", 26, ("upgrade", "plain"), "location /ts2021 { return 429; } " + passing(0).replace(":0;", ":DAEMON;"))

    def test_limits_heads(self):
        self.breaks("too-large", 27, ("upgrade", "plain"), "connection_pool_size 256; client_header_buffer_size 32; large_client_header_buffers 1 256; " +
                    passing(0).replace(":0;", ":DAEMON;"))

    def test_blocks_websockets(self):
        report = self.breaks("websocket-blocked", 33, ("upgrade", "websocket"),
                             "location /ts2021 { if ($request_method = GET) { return 403; } proxy_pass http://127.0.0.1:DAEMON; %s } %s" %
                             (UPGRADE, passing(0).replace(":0;", ":DAEMON;")))
        self.assertEqual(self.facts(report, "http2")[0]["verdict"], "ok")

    def test_key_of_another_server(self):
        with Daemon() as first, Daemon() as second, Nginx("location = /key { proxy_pass http://127.0.0.1:%d; } %s" %
                                                          (first.port, passing(second.port))) as nginx:
            report = self.assert_breaks("wrong-key", 35, ("noise", "plain"), nginx.url())
            self.assertIn("different control servers", report["causes"][0])

    def test_key_from_a_cache(self):
        with Daemon() as first, Daemon() as second, Nginx("location = /key { proxy_pass http://127.0.0.1:%d; add_header X-Cache HIT; } %s" %
                                                          (first.port, passing(second.port))) as nginx:
            report = self.assert_breaks("wrong-key", 35, ("noise", "plain"), nginx.url())
            self.assertIn("cache", report["causes"][0])

    def test_several_servers(self):
        with Daemon() as first, Daemon() as second, Nginx(
                passing(0).replace("127.0.0.1:0", "both"),
                http="upstream both { server 127.0.0.1:%d; server 127.0.0.1:%d; }" % (first.port, second.port)) as nginx:
            self.assert_breaks("bad-key", 30, ("key", "plain"), nginx.url())

    def test_websockets_only_where_the_other_way_works_too(self):
        """What fails on both ways is no matter of WebSockets."""
        report = self.breaks("upgrade-stripped", 31, ("upgrade", "plain"), "location / { proxy_pass http://127.0.0.1:DAEMON; }")
        self.assertEqual([record["verdict"] for record in self.facts(report, "upgrade")], ["failed", "failed"])


class BehindHaproxy(DoctorTest):
    needs_proxies = True

    def test_cuts_idle_tunnels(self):
        with Daemon() as daemon, Haproxy(daemon.port, tunnel="2s") as haproxy:
            report = self.assert_breaks("idle-cut", 45, ("keep-alive", "plain"), haproxy.url(), *KEY, "--keep-alive", "10")
            self.assertAlmostEqual(report["walk"][-1]["seconds"], 2, delta=1)

    def test_denies_upgrades(self):
        with Daemon() as daemon, Haproxy(daemon.port, front="http-request deny if { req.hdr(Upgrade) -m found }") as haproxy:
            self.assert_breaks("upgrade-refused", 32, ("upgrade", "plain"), haproxy.url())

    def test_lets_only_websockets_through(self):
        with Daemon() as daemon, Haproxy(daemon.port, front="http-request deny deny_status 400 if { req.hdr(Upgrade) -i tailscale-control-protocol }") as haproxy:
            report = self.assert_breaks("upgrade-refused", 32, ("upgrade", "plain"), haproxy.url(), *KEY)
            self.assertIn("WebSockets", report["causes"][0])
            self.assertEqual((report["walk"][-2]["hop"], report["walk"][-2]["way"], report["walk"][-2]["verdict"]), ("map", "websocket", "ok"))

    def test_http2_only(self):
        with Authority() as authority, Daemon() as daemon, Haproxy(
                daemon.port, bind="ssl crt " + authority.bundle("good") + " alpn h2 proto h2") as haproxy:
            self.assert_breaks("http2-only", 19, ("key", "tls"), haproxy.url("https"), "--ca", authority.ca)

    def test_nobody_behind_it(self):
        with Haproxy(free_port()) as haproxy:
            self.assert_breaks("backend-down", 23, ("key", "plain"), haproxy.url())


class Certificates(DoctorTest):
    needs_proxies = True

    def breaks(self, ailment, exit_code, *flags, trusted=True, **certificate):
        with Authority() as authority, Daemon() as daemon, Nginx("TLS; " + passing(daemon.port), certificate=authority.make("it", **certificate)) as nginx:
            flags += ("--ca", authority.ca) if trusted else ()
            report = self.assert_breaks(ailment, exit_code, ("tls", "tls"), nginx.url(0, "https"), *flags)
            self.assertEqual(self.facts(report, "http2")[0]["verdict"], "ok")  # the walk goes on
            self.assert_good(nginx.url(0, "https"), *flags, "--insecure")

    def test_expired(self):
        self.breaks("certificate-time", 15, days="-1")

    def test_of_another_host(self):
        self.breaks("certificate-name", 16, alternative="DNS:other.test")

    def test_of_an_unknown_authority(self):
        self.breaks("certificate-authority", 17, trusted=False)

    def test_https_where_there_is_none(self):
        with Daemon() as daemon:
            self.assert_breaks("wrong-scheme", 13, ("tls", "tls"), daemon.url.replace("http:", "https:"))

    def test_http_where_there_is_tls(self):
        with Authority() as authority, Daemon("--tls-listen", "127.0.0.1:0", "--tls-cert", authority.make("it")[0],
                                              "--tls-key", authority.path("it.key")) as daemon:
            self.assert_breaks("wrong-scheme", 13, ("key", "plain"), daemon.url.replace("https:", "http:"))
        with Authority() as authority, Nginx("TLS; return 404;", certificate=authority.make("it")) as nginx:
            self.assert_breaks("wrong-scheme", 13, ("key", "plain"), nginx.url())


class Ports(DoctorTest):
    def test_unknown_host(self):
        self.assert_breaks("unknown-name", 10, ("name", None), "http://no-such-host.invalid:8080")

    def test_nobody_listens(self):
        self.assert_breaks("port-closed", 11, ("port", "plain"), "http://127.0.0.1:%d" % free_port())

    def test_no_connection_is_made(self):
        with Deaf() as deaf:
            self.assert_breaks("unreachable", 12, ("port", "plain"), "http://127.0.0.1:%d" % deaf.port, "--timeout", "1")

    def test_silence(self):
        with Listener(lambda connection: None) as silent:
            self.assert_breaks("no-answer", 20, ("key", "plain"), silent.url, "--timeout", "1")
            self.assert_breaks("tls", 14, ("tls", "tls"), silent.url.replace("http:", "https:"), "--timeout", "1")

    def test_closes_at_once(self):
        with Listener(lambda connection: connection.close()) as rude:
            self.assert_breaks("no-answer", 20, ("key", "plain"), rude.url)

    def test_a_plain_web_server(self):
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory="/var/empty")
        handler.func.log_message = lambda *_: None
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.assert_breaks("not-control", 21, ("key", "plain"), "http://127.0.0.1:%d" % server.server_port)
            server.shutdown()

    def test_no_tls_beside_a_public_address(self):
        """Clients that come back within two minutes try TLS only: a warning."""
        with Daemon() as daemon:
            done = run_client("doctor", daemon.url, "--tls-port", str(free_port()))
            self.assertEqual(done.returncode, 0, done)
            self.assertRegex(done.stdout, r"(?m)^warning +port \(tls\) .*Connection refused; a client that comes back")

    def test_help_lists_the_exit_codes(self):
        done = run_client("doctor", "--help")
        for line in (" 0  good ", " 31  upgrade-stripped ", " 46  no-keep-alive "):
            self.assertIn(line, done.stdout)

    def test_a_url_that_is_none(self):
        done = run_client("doctor", "ftp://127.0.0.1")
        self.assertEqual((done.returncode, done.stdout), (1, ""))


class Streams(DoctorTest):
    """What other proxies do to what follows a 101."""

    def broken(self, ailment, exit_code, hop, change, *flags):
        with Daemon() as daemon, relay(daemon.port, change) as proxy:
            self.assert_breaks(ailment, exit_code, hop, proxy.url, *flags)

    def test_held_back(self):
        def head_only(piece):
            return piece[:piece.index(b"\r\n\r\n") + 4] if b" 101 " in piece[:16] else b"" if not piece.startswith(b"HTTP") else piece
        self.broken("stream-held", 34, ("noise", "plain"), head_only, "--timeout", "1")

    def test_cut_behind_the_101(self):
        def change(piece):
            return None if b" 101 " in piece[:16] else piece
        self.broken("no-answer", 20, ("upgrade", "plain"), change)

    def test_clock(self):
        def change(piece):
            return piece.replace(b"\r\n", b"\r\nDate: Tue, 02 Jan 2024 03:04:05 GMT\r\n", 1) if piece.startswith(b"HTTP/1.1 200") else piece
        with Daemon() as daemon, relay(daemon.port, change) as proxy:
            key = self.facts(self.assert_good(proxy.url), "key")[0]
            self.assertEqual(key["verdict"], "warning")
            self.assertRegex(key["fact"], r"the server's clock is \d+ s behind ours")

    def test_changed(self):
        def change(piece):
            return piece.replace(b"\r\n\r\n", b"\r\n\r\n<html>", 1) if b" 101 " in piece[:16] else piece
        self.broken("noise-broken", 36, ("noise", "plain"), change)


class Servers(DoctorTest):
    def faulty(self, ailment, exit_code, hop, *rules, flags=(), server=()):
        with Daemon(*ADMIN, *server) as daemon:
            set_faults(daemon, *({"count": 0, "every": 1, **rule} for rule in rules))
            return self.assert_breaks(ailment, exit_code, hop, daemon.url, *flags)

    def test_101_without_upgrade(self):
        self.faulty("upgrade-stripped", 31, ("upgrade", "plain"), {"layer": "http", "fault": "strip-upgrade"})

    def test_another_key(self):
        self.faulty("wrong-key", 35, ("noise", "plain"), {"layer": "http", "fault": "wrong-key"})

    def test_proof_of_another_key(self):
        self.faulty("wrong-key", 35, ("noise", "plain"), {"layer": "noise", "fault": "wrong-key"})

    def test_error_record(self):
        report = self.faulty("noise-broken", 36, ("noise", "plain"), {"layer": "noise", "fault": "error-record", "text": "wrong \u001b[31msize"})
        self.assertIn("wrong ?[31msize", self.facts(report, "noise")[0]["fact"])

    def test_corrupt_records(self):
        self.faulty("noise-broken", 36, ("early", "plain"), {"layer": "noise", "fault": "corrupt"})

    def test_early_payload(self):
        for fault in ("garbage", "oversized"):
            with self.subTest(fault):
                self.faulty("early-payload", 37, ("early", "plain"), {"layer": "early", "fault": fault})

    def test_goaway(self):
        self.faulty("http2", 38, ("http2", "plain"), {"layer": "http2", "fault": "goaway", "code": 2})

    def test_statuses_of_key(self):
        for status, ailment, code in ((429, "rate-limited", 26), (500, "server-error", 25), (502, "backend-down", 23), (413, "too-large", 27)):
            with self.subTest(status):
                self.faulty(ailment, code, ("key", "plain"), {"layer": "http", "fault": "status", "path": "/key", "status": status})

    def test_statuses_of_upgrades(self):
        for status, ailment, code in ((429, "rate-limited", 26), (500, "server-error", 25), (403, "upgrade-refused", 32)):
            with self.subTest(status):
                self.faulty(ailment, code, ("upgrade", "plain"), {"layer": "http", "fault": "status", "path": "/ts2021", "status": status})

    def test_statuses_inside(self):
        for on, hop in (("register", "register"), ("map", "map")):
            for status, ailment, code in ((429, "rate-limited", 26), (500, "server-error", 25)):
                with self.subTest(on=on, status=status):
                    self.faulty(ailment, code, (hop, "plain"), {"layer": "api", "fault": "status", "on": on, "status": status}, flags=KEY)

    def test_broken_maps(self):
        for fault in ("length-zero", "bad-zstd", "truncated-json"):
            with self.subTest(fault):
                self.faulty("map-broken", 43, ("map", "plain"), {"layer": "map", "fault": fault}, flags=KEY)

    def test_no_map(self):
        self.faulty("map-silent", 44, ("map", "plain"), {"layer": "api", "fault": "hold", "on": "map"}, flags=(*KEY, "--timeout", "1.5"))

    def test_no_keep_alives(self):
        with Daemon() as daemon:
            self.assert_breaks("no-keep-alive", 46, ("keep-alive", "plain"), daemon.url, *KEY, "--keep-alive", "10", "--max-silence", "2")

    def test_only_ts2019(self):
        with Daemon("--no-ts2021") as daemon:
            self.assert_breaks("ts2019-only", 29, ("key", "plain"), daemon.url)

    def test_version_is_refused(self):
        with Daemon("--no-ts2019") as daemon:
            self.assert_breaks("version-refused", 28, ("key", "plain"), daemon.url, "--capability", "20")

    def test_auth_key_is_refused(self):
        with Daemon() as daemon:
            report = self.assert_breaks("register-refused", 40, ("register", "plain"), daemon.url, "--auth-key", "another-key")
            self.assertIn("invalid auth key", self.facts(report, "register")[0]["text"])

    def test_a_person_is_asked_for(self):
        with Daemon("--login-page") as daemon:
            self.assert_breaks("login-needed", 41, ("register", "plain"), daemon.url, "--register")

    def test_the_node_does_not_stay(self):
        with Daemon("--verbose") as daemon:
            self.assert_good(daemon.url, *KEY)
            daemon.wait_for_log("logged out")


if __name__ == "__main__":
    main()
