# SPDX-License-Identifier: BSD-3-Clause
"""https of ts2021d: certificates of all kinds, plain HTTP beside it, strangers that stall."""

import http.client
import json
import os
import signal
import socket
import ssl
import stat
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse
import warnings

from programs import Daemon, main, refusal, run_client


def trust(ca):
    return ssl.create_default_context(cafile=ca)


class TlsDaemon(Daemon):
    def __init__(self, *flags, directory=None, **more):
        self.parent = tempfile.TemporaryDirectory()
        self.directory = directory or os.path.join(self.parent.name, "tls")
        super().__init__("--tls-listen", "127.0.0.1:0", "--tls-self-signed", self.directory, "--verbose", *flags, **more)
        self.tls_port = urllib.parse.urlsplit(self.url).port

    def __exit__(self, *details):
        super().__exit__(*details)
        self.parent.cleanup()

    def connect(self, context=None, name="127.0.0.1"):
        raw = socket.create_connection(("127.0.0.1", self.tls_port), timeout=10)
        return (context or trust(self.ready["ca"])).wrap_socket(raw, server_hostname=name)

    def get_tls(self, path, context=None):
        connection = http.client.HTTPSConnection("127.0.0.1", self.tls_port, timeout=10,
                                                 context=context or trust(self.ready["ca"]))
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


def make_certificate(directory, name, kind="ec"):
    certificate, key = os.path.join(directory, name + ".pem"), os.path.join(directory, name + ".key")
    openssl("req", "-x509", "-newkey", kind, *(["-pkeyopt", "ec_paramgen_curve:P-256"] if kind == "ec" else []), "-nodes", "-days", "2", "-subj", "/CN=" + name,
            "-addext", "subjectAltName=DNS:" + name + ",IP:127.0.0.1", "-keyout", key, "-out", certificate)
    return certificate, key


def read_all(s):
    text = b""
    while piece := s.recv(65536):
        text += piece
    return text


class Handshake(unittest.TestCase):
    def test_https_and_plain_http_give_the_same_site(self):
        with TlsDaemon() as daemon:
            self.assertEqual(set(daemon.ready), {"url", "http_url", "ca", "auth_key", "pid"})
            self.assertRegex(daemon.ready["url"], r"^https://127\.0\.0\.1:\d+$")
            self.assertRegex(daemon.ready["http_url"], r"^http://127\.0\.0\.1:\d+$")
            self.assertNotEqual(daemon.tls_port, daemon.port)
            self.assertEqual(daemon.get_tls("/health"), (200, b"ok\n"))
            self.assertEqual(daemon.get("/health")[:2], (200, b"ok\n"))
            self.assertEqual(daemon.get_tls("/key?v=138")[1], daemon.get("/key?v=138")[1])

    def test_only_the_authority_opens_the_door(self):
        with TlsDaemon() as daemon:
            with self.assertRaises(ssl.SSLCertVerificationError):
                daemon.get_tls("/health", ssl.create_default_context())
            daemon.wait_for_log("; TLS: ")  # the client's alert
            with self.assertRaises(ssl.SSLCertVerificationError):
                daemon.connect(name="example.com")
            for name in ("127.0.0.1", "localhost", "::1"):
                daemon.connect(name=name).close()

    def test_versions_and_protocols(self):
        with TlsDaemon() as daemon:
            def context(low, high, *protocols):
                c = trust(daemon.ready["ca"])
                c.minimum_version, c.maximum_version = low, high
                if protocols:
                    c.set_alpn_protocols(protocols)
                return c
            v1_0, v1_1, v1_2, v1_3 = (getattr(ssl.TLSVersion, "TLSv1" + minor) for minor in ("", "_1", "_2", "_3"))
            for version, name in ((v1_2, "TLSv1.2"), (v1_3, "TLSv1.3")):
                with daemon.connect(context(version, version, "h2", "http/1.1")) as s:
                    self.assertEqual((s.version(), s.selected_alpn_protocol()), (name, "http/1.1"))
                with daemon.connect(context(version, version)) as s:
                    self.assertIsNone(s.selected_alpn_protocol())
                    s.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    self.assertIn(b"200 OK", read_all(s))
                with self.assertRaises(ssl.SSLError):
                    daemon.connect(context(version, version, "h2"))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                old = context(v1_0, v1_1)
            old.set_ciphers("DEFAULT@SECLEVEL=0")
            with self.assertRaisesRegex(ssl.SSLError, "PROTOCOL_VERSION"):
                daemon.connect(old)

    def test_ciphers_without_forward_secrecy_are_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "rsa", "rsa:2048")
            with Daemon("--tls-cert", certificate, "--tls-key", key) as daemon:
                for cipher, good in (("ECDHE-RSA-AES128-GCM-SHA256", True), ("AES128-GCM-SHA256", False)):
                    context = trust(certificate)
                    context.maximum_version = ssl.TLSVersion.TLSv1_2
                    context.set_ciphers(cipher)
                    raw = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(daemon.url).port), timeout=10)
                    if good:
                        with context.wrap_socket(raw, server_hostname="rsa") as s:
                            self.assertEqual(s.cipher()[0], cipher)
                    else:
                        with self.assertRaisesRegex(ssl.SSLError, "HANDSHAKE_FAILURE"):
                            context.wrap_socket(raw, server_hostname="rsa")
                    raw.close()

    def test_nothing_is_resumed(self):
        with TlsDaemon() as daemon:
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                context = trust(daemon.ready["ca"])
                context.minimum_version = context.maximum_version = version
                with daemon.connect(context) as s:
                    s.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    read_all(s)  # tickets of TLS 1.3 come after the handshake
                    session = s.session
                self.assertFalse(session.has_ticket)
                raw = socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10)
                with context.wrap_socket(raw, server_hostname="127.0.0.1", session=session) as s:
                    self.assertFalse(s.session_reused)

    def test_bytes_that_are_no_tls_end_that_connection_only(self):
        with TlsDaemon() as daemon:
            for bad in (b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n", b"\x16\x03\x01\xff\xff" + bytes(300), bytes(5), b"\x15\x03\x01\x00\x02\x02\x28"):
                with socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10) as s:
                    s.sendall(bad)
                    try:
                        self.assertNotIn(b"200", read_all(s))
                    except ConnectionResetError:
                        pass
            daemon.wait_for_log("; TLS: ", 4)
            self.assertEqual(daemon.get_tls("/health")[0], 200)


class Client:
    """openssl s_client, which does on command what Python's ssl can't."""

    def __init__(self, daemon, version):
        self.said = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{daemon.tls_port}", "-CAfile", daemon.ready["ca"], "-" + version],
            stdin=subprocess.PIPE, stdout=self.said, stderr=subprocess.STDOUT, text=True)
        self.expect("Verify return code: 0 (ok)")

    def expect(self, text):
        for _ in range(200):
            self.said.seek(0)
            if text in self.said.read():
                return
            time.sleep(0.05)
        self.said.seek(0)
        raise AssertionError(f"no {text!r} in {self.said.read()}")

    def command(self, text):
        """Each line is read by itself: commands are single letters on a line of their own."""
        self.process.stdin.write(text)
        self.process.stdin.flush()
        time.sleep(0.3)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
        self.said.close()


class Streams(unittest.TestCase):
    def test_renegotiation_is_refused(self):
        with TlsDaemon() as daemon, Client(daemon, "tls1_2") as client:
            client.command("R\n")
            client.expect("no renegotiation")

    def test_keys_are_updated_on_request(self):
        with TlsDaemon() as daemon, Client(daemon, "tls1_3") as client:
            for _ in range(3):
                client.command("K\n")  # asks for an update in return
                client.command("k\n")
            client.expect("KEYUPDATE")
            client.command("GET /health HTTP/1.1\r\n")
            client.command("Host: h\r\n")
            client.command("\r\n")
            client.expect("200 OK")

    def test_what_one_end_sends_in_many_ways_arrives(self):
        with TlsDaemon() as daemon, daemon.connect() as s:
            for byte in b"GET /key?v=138 HTTP/1.1\r\nHost: h\r\n\r\n":  # a record each
                s.send(bytes([byte]))
            head = s.recv(65536)
            self.assertIn(b"200 OK", head)
            s.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n" * 200 + b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            self.assertEqual(read_all(s).count(b"ok\n"), 201)

    def test_answers_wait_for_a_client_that_reads_late(self):
        with TlsDaemon() as daemon:
            count = 30000
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            raw.connect(("127.0.0.1", daemon.tls_port))
            with trust(daemon.ready["ca"]).wrap_socket(raw, server_hostname="127.0.0.1") as s:
                s.settimeout(20)
                sender = threading.Thread(target=s.sendall, args=(b"GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n" * count,))
                sender.start()
                time.sleep(1)
                begun = daemon.cpu_seconds()
                time.sleep(1)
                self.assertLess(daemon.cpu_seconds() - begun, 0.3, "a blocked socket must cost nothing")
                seen, rest = 0, b""
                while seen < count:
                    text = rest + s.recv(65536)
                    seen += text.count(b"HTTP/1.1 404")
                    rest = text[-11:] if not text.endswith(b"HTTP/1.1 404") else b""
                sender.join()
                self.assertEqual(seen, count)

    def test_a_client_that_half_closes_is_answered(self):
        with TlsDaemon() as daemon:
            with daemon.connect() as s:
                s.sendall(b"GET /key?v=138 HTTP/1.1\r\nHost: h\r\n\r\n")
                socket.socket.shutdown(s, socket.SHUT_WR)  # a FIN without close_notify
                self.assertIn(b'"publicKey"', read_all(s))

    def test_the_server_says_goodbye(self):
        with TlsDaemon() as daemon, daemon.connect() as s:
            s.suppress_ragged_eofs = False
            s.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            self.assertIn(b"200 OK", read_all(s))  # an end without close_notify would raise

    def test_sigterm_ends_within_a_second_with_open_handshakes(self):
        with TlsDaemon("--threads", "3") as daemon:
            silent = [socket.create_connection(("127.0.0.1", daemon.tls_port)) for _ in range(20)]
            shaken = [daemon.connect() for _ in range(5)]
            begun = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.process.wait(timeout=5), 0)
            self.assertLess(time.monotonic() - begun, 1.0)
            for s in silent + shaken:
                s.close()


class Stalling(unittest.TestCase):
    def test_unfinished_handshakes_cost_nobody_else_and_end(self):
        with TlsDaemon() as daemon:
            hello = ssl.MemoryBIO()
            try:
                ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost").do_handshake()
            except ssl.SSLWantReadError:
                hello = hello.read()
            begun = time.monotonic()
            halves = {}
            for sent in (b"", hello[:1], hello[:100], hello[:-1], hello):
                for _ in range(20):
                    s = socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=20)
                    s.sendall(sent)
                    halves[s] = sent
            started = time.monotonic()
            self.assertEqual(daemon.get_tls("/health")[0], 200)
            self.assertEqual(daemon.get("/health")[0], 200)
            self.assertLess(time.monotonic() - started, 2.0)
            busy = daemon.cpu_seconds()
            for s, sent in halves.items():
                text = read_all(s)
                self.assertEqual(text.startswith(b"\x16\x03"), sent == hello)
                s.close()
            self.assertGreater(time.monotonic() - begun, 8.0)
            self.assertLess(time.monotonic() - begun, 15.0)
            self.assertLess(daemon.cpu_seconds() - busy, 1.0)


class Files(unittest.TestCase):
    def test_certificate_and_key_from_files(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "control.test")
            with Daemon("--tls-listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key) as daemon:
                self.assertEqual(set(daemon.ready), {"url", "http_url", "auth_key", "pid"})
                raw = socket.create_connection(("127.0.0.1", urllib.parse.urlsplit(daemon.url).port), timeout=10)
                with trust(certificate).wrap_socket(raw, server_hostname="control.test") as s:
                    self.assertEqual(s.getpeercert()["subject"], ((("commonName", "control.test"),),))

    def test_wrong_files_end_the_program_with_their_name(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "one")
            _, other_key = make_certificate(directory, "other")
            locked = os.path.join(directory, "locked.key")
            openssl("pkey", "-in", key, "-aes128", "-passout", "pass:secret", "-out", locked)
            junk = os.path.join(directory, "junk")
            with open(junk, "w") as file:
                file.write("secretsecret")
            for pair, named in (((certificate, other_key), other_key), ((junk, key), junk), ((certificate, junk), junk),
                                ((certificate, locked), locked), ((key, key), key)):
                with self.subTest(pair=pair):
                    text = refusal("--tls-listen", "127.0.0.1:0", "--tls-cert", pair[0], "--tls-key", pair[1])
                    self.assertIn(named, text)
                    self.assertNotIn("secretsecret", text)
                    self.assertNotIn("Enter", text)

    def test_wrong_lines_are_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "one")
            for flags in (["--tls-cert", certificate], ["--tls-key", key], ["--tls-listen", "127.0.0.1:0"],
                          ["--tls-cert", certificate, "--tls-key", key, "--tls-self-signed", directory],
                          ["--tls-cert", certificate, "--tls-key", key, "--tls-listen", "nowhere"],
                          ["--tls-cert", "/does/not/exist", "--tls-key", key],
                          ["--tls-self-signed", "/does/not/exist"],
                          ["--public-url", "https://host/base"], ["--public-url", "host:80"], ["--public-url", "ftp://host"],
                          ["--public-url", "https://"], ["--public-url", 'https://a"b'], ["--public-url", "https://host:0"]):
                with self.subTest(flags=flags):
                    self.assertNotEqual(refusal(*flags), "")

    def test_a_new_certificate_is_read_on_sighup(self):
        with tempfile.TemporaryDirectory() as directory:
            certificate, key = make_certificate(directory, "now")
            with Daemon("--tls-listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key, "--threads", "3") as daemon:
                port = urllib.parse.urlsplit(daemon.url).port

                def connect(name):
                    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
                    return trust(certificate).wrap_socket(raw, server_hostname=name)
                before = connect("now")
                fresh = make_certificate(directory, "fresh")
                os.replace(fresh[0], certificate)
                daemon.process.send_signal(signal.SIGHUP)  # the key is still the old one
                daemon.wait_for_log("certificate: the old stays in force: " + key)
                os.replace(fresh[1], key)
                daemon.process.send_signal(signal.SIGHUP)
                daemon.wait_for_log("certificate: read again")
                connect("fresh").close()
                before.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                self.assertIn(b"200 OK", read_all(before))
                before.close()

    def test_sighup_without_files_changes_nothing(self):
        with Daemon() as daemon:
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.3)
            self.assertEqual(daemon.get("/health")[0], 200)


class SelfSigned(unittest.TestCase):
    def read(self, directory):
        texts = {}
        for name in os.listdir(directory):
            with open(os.path.join(directory, name)) as file:
                texts[name] = file.read()
        return texts

    def test_files_are_private_and_kept(self):
        with tempfile.TemporaryDirectory() as parent:
            directory = os.path.join(parent, 'a "quoted" place')
            with TlsDaemon(directory=directory) as daemon:
                self.assertEqual(daemon.ready["ca"], os.path.join(directory, "ca.pem"))
                self.assertEqual(daemon.get_tls("/health")[0], 200)
            first = self.read(directory)
            self.assertEqual(set(first), {"ca.pem", "ca.key", "server.pem", "server.key"})
            self.assertEqual(stat.S_IMODE(os.stat(directory).st_mode), 0o700)
            for name in first:
                mode = stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode)
                self.assertEqual(mode, 0o600 if name.endswith(".key") else 0o644)
            with TlsDaemon(directory=directory):
                self.assertEqual(self.read(directory), first)

    def test_another_host_gets_another_certificate_by_the_same_authority(self):
        with tempfile.TemporaryDirectory() as directory:
            with TlsDaemon(directory=directory):
                first = self.read(directory)
            with TlsDaemon("--public-url", "https://control.test:444/", directory=directory) as daemon:
                self.assertEqual(daemon.ready["url"], "https://control.test:444")
            second = self.read(directory)
            self.assertEqual({n for n in first if first[n] == second[n]}, {"ca.pem", "ca.key"})
            for host in ("control.test", "127.0.0.1", "localhost"):
                check = ["-verify_ip" if host[0].isdigit() else "-verify_hostname", host]
                openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", os.path.join(directory, "ca.pem"), *check,
                        os.path.join(directory, "server.pem"))

    def test_what_is_expiring_is_made_anew(self):
        with tempfile.TemporaryDirectory() as directory:
            with TlsDaemon(directory=directory):
                first = self.read(directory)
            path = {name: os.path.join(directory, name) for name in first}
            # The same key and names with two days to go, by the same authority.
            request = os.path.join(directory, "request")
            openssl("req", "-new", "-key", path["server.key"], "-subj", "/CN=x", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1", "-out", request)
            openssl("x509", "-req", "-in", request, "-copy_extensions", "copy", "-days", "2", "-CA", path["ca.pem"], "-CAkey", path["ca.key"],
                    "-out", path["server.pem"])
            os.remove(request)
            short = self.read(directory)
            with TlsDaemon(directory=directory) as daemon:
                self.assertEqual(daemon.get_tls("/health")[0], 200)
                renewed = self.read(directory)
            self.assertNotEqual(renewed["server.pem"], short["server.pem"])
            self.assertEqual(renewed["ca.pem"], first["ca.pem"])
            openssl("x509", "-in", path["server.pem"], "-noout", "-checkend", str(300 * 86400))
            # An authority with two days to go takes everything with it.
            openssl("req", "-x509", "-key", path["ca.key"], "-days", "2", "-subj", "/CN=old", "-out", path["ca.pem"])
            with TlsDaemon(directory=directory) as daemon:
                self.assertEqual(daemon.get_tls("/health")[0], 200)
                self.assertFalse(set(self.read(directory).values()) & set(renewed.values()))

    def test_an_authority_that_is_not_one_is_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            with TlsDaemon(directory=directory):
                pass
            good = self.read(directory)["ca.key"]
            for text in (None, "secretsecret", self.read(directory)["server.key"]):
                with self.subTest(text=text):
                    if text is None:
                        os.remove(os.path.join(directory, "ca.key"))
                    else:
                        with open(os.path.join(directory, "ca.key"), "w") as file:
                            file.write(text)
                    said = refusal("--tls-listen", "127.0.0.1:0", "--tls-self-signed", directory)
                    self.assertIn("not a certificate and its key", said)
                    self.assertNotIn("secretsecret", said)
            self.assertNotIn(good, self.read(directory).values())


class Reachability(unittest.TestCase):
    """What GET /key says to clients 1.24 to 1.28, which dial plain HTTP on the URL's port or TLS on 443 (SRV-3)."""

    def old_answer(self, *flags):
        with TlsDaemon(*flags) as daemon:
            return daemon.get("/key?v=32")[1]

    def test_noise_is_told_where_it_can_be_dialled(self):
        self.assertRegex(self.old_answer(), b"^[0-9a-f]{64}$")  # https on a port of its own
        for url in ("https://control.test", "https://control.test:443", "http://control.test", "http://control.test:8080"):
            with self.subTest(url=url):
                self.assertNotEqual(json.loads(self.old_answer("--public-url", url))["publicKey"], "mkey:" + 64 * "0")
        self.assertRegex(self.old_answer("--public-url", "https://control.test:8443"), b"^[0-9a-f]{64}$")

    def test_nodes_of_the_plain_door_and_of_a_public_url(self):
        with TlsDaemon("--public-url", "https://[::1]:8443") as daemon:
            self.assertEqual(daemon.ready["url"], "https://[::1]:8443")
            done = run_client("map", daemon.http_url, "--auth-key", "test-key", "--seconds", "1")
            self.assertIn("self ", done.stdout)


if __name__ == "__main__":
    main()
