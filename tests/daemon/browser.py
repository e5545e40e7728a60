# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Chromium without a screen, driven over WebDriver."""

import base64
import http.client
import json
import shutil
import subprocess
import tempfile
import time

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the member that holds an element's id, by the standard


def missing():
    """Why there is no browser; None: there is one."""
    absent = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    return "not installed: " + ", ".join(absent) if absent else None


class Browser:
    """One chromedriver for all tests of a file; reset() makes a fresh session of it."""

    def __init__(self):
        self.process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.session, self.folder = None, None
        for line in self.process.stdout:
            if "started successfully on port" in line:
                self.port = int(line.rsplit(" ", 1)[1].strip().rstrip("."))
                return
        raise AssertionError("chromedriver does not start")

    def close(self):
        self.end_session()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def end_session(self):
        if self.session:
            self.call("DELETE", "")
            self.session = None
            self.folder.cleanup()

    def reset(self, width=1280, height=800, dark=False):
        self.end_session()
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--lang=en",
                     "--user-data-dir=" + self.folder.name] + (["--force-dark-mode"] if dark else [])
        options = {"goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": options}})["sessionId"]
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                     mobile=width < 600)
        self.command("Emulation.setEmulatedMedia",
                     features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        return self

    def call(self, method, path, body=None):
        if self.session:
            path = "/session/" + self.session + path
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, json.dumps(body or {}) if method == "POST" else None)
        answer = connection.getresponse()
        value = json.loads(answer.read())["value"]
        connection.close()
        if answer.status != 200:
            raise AssertionError((method, path, body, value))
        return value

    def command(self, name, **parameters):  # of the DevTools protocol
        return self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def element(self, xpath):
        return "/element/" + self.call("POST", "/element", {"using": "xpath", "value": xpath})[ELEMENT]

    def press(self, label):
        self.call("POST", self.element(f"//button[normalize-space()='{label}']") + "/click")

    def type(self, xpath, text):
        self.call("POST", self.element(xpath) + "/value", {"text": text})

    def key(self, *keys):
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def text(self, selector="body"):
        """All that a person can read now."""
        return self.run("return document.querySelector(arguments[0])?.innerText || ''", selector)

    def wait_for(self, text, selector="body", seconds=15):
        end = time.monotonic() + seconds
        while text not in (shown := self.text(selector)):
            if time.monotonic() > end:
                raise AssertionError(f"not shown: {text}\n{shown}")
            time.sleep(0.05)
        return shown

    def complaints(self):
        """What the console of the page says, blocked contents among it."""
        return [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})
                if entry["level"] in ("SEVERE", "WARNING")]

    def save_picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("GET", "/screenshot")))
