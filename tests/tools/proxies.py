# SPDX-License-Identifier: BSD-3-Clause
"""What may stand between a client and a control server: real nginx and HAProxy, certificates, obstinate sockets."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def missing():
    return [name for name in ("nginx", "haproxy", "openssl") if not shutil.which(name, path=PATH)]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy:
    """A process of its own with its own files, ended by its pid."""

    def __init__(self, command, config):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "proxy.conf")
        with open(path, "w") as file:
            file.write(config.replace("FOLDER", self.folder.name))
        self.log = open(os.path.join(self.folder.name, "log"), "w+")
        self.process = subprocess.Popen([part.replace("CONFIG", path).replace("FOLDER", self.folder.name) for part in command],
                                        stdout=self.log, stderr=self.log, env={**os.environ, "PATH": PATH})

    def wait_for(self, port):
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.log.seek(0)
        raise AssertionError("the proxy does not start: " + self.log.read())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()
        self.folder.cleanup()


# What nginx needs to pass an upgrade on.
UPGRADE = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


class Nginx(Proxy):
    """`servers`: bodies of server blocks, each of which gets a port, written PORT0, PORT1...; "TLS;" and "HTTP2;" in them."""

    def __init__(self, *servers, certificate=None, http=""):
        self.ports = [free_port() for _ in servers]
        blocks = ""
        for port, body in zip(self.ports, servers):
            tls = certificate and "TLS;" in body
            body = body.replace("TLS;", "ssl_certificate %s; ssl_certificate_key %s;" % certificate if tls else "")
            listen = " ssl" * bool(tls) + " http2" * ("HTTP2;" in body)
            body = body.replace("HTTP2;", "")
            for i, other in enumerate(self.ports):
                body = body.replace("PORT%d" % i, str(other))
            blocks += "server { listen 127.0.0.1:%d%s; %s }\n" % (port, listen, body)
        temporary = " ".join("%s_temp_path FOLDER/%s;" % (name, name) for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        super().__init__(["nginx", "-p", "FOLDER", "-e", "stderr", "-c", "CONFIG"],
                         "daemon off; master_process off; pid FOLDER/pid; events {}\n"
                         "http { access_log off; %s %s\n%s}" % (temporary, http, blocks))
        for port in self.ports:
            self.wait_for(port)

    def url(self, index=0, scheme="http"):
        return "%s://127.0.0.1:%d" % (scheme, self.ports[index])


class Haproxy(Proxy):
    def __init__(self, backend_port, front="", tunnel="1h", bind=""):
        self.port = free_port()
        super().__init__(["haproxy", "-db", "-f", "CONFIG"], f"""
global
  maxconn 100
defaults
  mode http
  retries 0
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel {tunnel}
frontend front
  bind 127.0.0.1:{self.port} {bind}
  {front}
  default_backend back
backend back
  server one 127.0.0.1:{backend_port}
""")
        self.wait_for(self.port)

    def url(self, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}"


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)


class Authority:
    """Makes certificates; `ca` is the file to trust."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.ca, self.key = self.path("ca.pem"), self.path("ca.key")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=authority",
                "-keyout", self.key, "-out", self.ca)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def make(self, name, alternative="IP:127.0.0.1", days="2"):
        certificate, key, request, extensions = (self.path(name + end) for end in (".pem", ".key", ".csr", ".ext"))
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
                "-keyout", key, "-out", request)
        with open(extensions, "w") as file:
            file.write("subjectAltName=" + alternative)
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                "-extfile", extensions, "-out", certificate)
        return certificate, key

    def bundle(self, name, **more):
        """Certificate and key in one file, as HAProxy wants them."""
        certificate, key = self.make(name, **more)
        both = self.path(name + ".both")
        with open(both, "w") as file:
            for part in (certificate, key):
                with open(part) as source:
                    file.write(source.read())
        return both

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


class Listener:
    """Takes connections on a port of its own, each in a thread that runs `serve`."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.serve = serve
        self.open = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for connection in self.open:
            connection.close()


def relay(port, change):
    """Passes bytes on to a port; `change(bytes)` says what becomes of those that come back, None: the end."""
    def serve(client):
        server = socket.create_connection(("127.0.0.1", port))

        def pump(source, sink, alter):
            try:
                while piece := source.recv(65536):
                    piece = alter(piece)
                    if piece is None:
                        break
                    sink.sendall(piece)
            except OSError:
                pass
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        threading.Thread(target=pump, args=(client, server, lambda piece: piece), daemon=True).start()
        pump(server, client, change)
        server.close()
    return Listener(serve)


class Deaf:
    """A port whose queue is full: no connection is made."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(0)
        self.port = self.socket.getsockname()[1]
        self.waiting = []
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", self.port))
            self.waiting.append(waiting)
        time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for waiting in self.waiting:
            waiting.close()
        self.socket.close()
