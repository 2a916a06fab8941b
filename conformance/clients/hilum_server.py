"""Starts, kills and stops the `hilum` binary in a folder of its own, for the client checks and the crash test.

Everything runs on loopback. The endpoints come from the line of JSON that `hilum serve` prints when it is ready.
"""

import json
import os
import pathlib
import queue
import signal
import ssl
import subprocess
import threading
import time
from urllib.parse import urlsplit

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HILUM", ROOT / ".build" / "release" / "hilum"))


class ServerError(Exception):
    pass


class HilumServer:
    def __init__(self, folder, postgres=None, log=None, options=()):
        self.folder = pathlib.Path(folder)
        self.postgres = postgres
        self.log_path = pathlib.Path(log or self.folder.with_suffix(".log"))
        self.options = list(options)
        self.process = None
        self.endpoints = None

    # Commands

    def command(self, *words):
        done = subprocess.run(
            [str(BINARY), *map(str, words)], capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL
        )
        if done.returncode != 0:
            raise ServerError(f"hilum {' '.join(map(str, words[:2]))} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def init(self, ports=(0, 0, 0)):
        words = ["init", self.folder, "--http-port", ports[0], "--dimse-port", ports[1], "--mllp-port", ports[2]]
        if self.postgres:
            words += ["--postgres", self.postgres]
        return self.command(*words)

    def configure(self, mark, line):
        """Puts a line of `hilum.yaml` in the place of the one that begins with a mark."""
        path = self.folder / "hilum.yaml"
        lines = path.read_text().splitlines()
        found = [number for number, text in enumerate(lines) if text.strip().startswith(mark)]
        if len(found) != 1:
            raise ServerError(f"hilum.yaml has {len(found)} lines {mark!r}")
        indent = lines[found[0]][: len(lines[found[0]]) - len(lines[found[0]].lstrip())]
        lines[found[0]] = indent + line
        path.write_text("\n".join(lines) + "\n")

    def register_client(self, name, jwks_path, scope):
        out = self.command("client", "register", self.folder, "--name", name, "--jwks", jwks_path, "--scope", scope)
        for line in out.splitlines():
            if line.strip().startswith("client_id:"):
                return line.split(":", 1)[1].strip()
        raise ServerError(f"client register printed no client_id: {out!r}")

    def add_ae(self, title, host="127.0.0.1", port=None, may="all"):
        words = ["peer", "add", self.folder, "--ae", title, "--may", may]
        if port:
            words += ["--host", host, "--port", port]
        return self.command(*words)

    def add_sender(self, application, facility, may="all"):
        return self.command(
            "peer", "add", self.folder, "--mllp-app", application, "--mllp-facility", facility, "--may", may
        )

    # Life

    def start(self, timeout=180):
        lines = queue.Queue()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), "serve", str(self.folder), *self.options],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                env={**os.environ, "SWIFT_BACKTRACE": "enable=no"},
            )

        def read(stream):
            with open(self.log_path, "ab") as log:
                for line in stream:
                    log.write(line)
                    log.flush()
                    lines.put(line)
            lines.put(None)

        threading.Thread(target=read, args=(self.process.stdout,), daemon=True).start()
        begun = time.monotonic()
        while True:
            left = timeout - (time.monotonic() - begun)
            try:
                line = lines.get(timeout=max(left, 0.01))
            except queue.Empty:
                self.kill()
                raise ServerError(f"not ready after {timeout} s; see {self.log_path}") from None
            if line is None:
                code = self.process.wait()
                raise ServerError(f"hilum serve ended with {code} before it was ready:\n{self.log_tail()}")
            if line.startswith(b"{") and b'"ready"' in line:
                self.endpoints = json.loads(line)
                self.start_seconds = time.monotonic() - begun
                return self

    def kill(self):
        """kill -9, and wait until the process is gone."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        return self.process.wait() if self.process else None

    def stop(self, timeout=120):
        """SIGTERM; the exit code. A server that does not end in time is killed and gives None."""
        if not self.process or self.process.poll() is not None:
            return self.process.returncode if self.process else None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return None

    def log_tail(self, characters=2000):
        try:
            return self.log_path.read_text(errors="replace")[-characters:]
        except OSError:
            return ""

    # Where

    @property
    def http(self):
        return self.endpoints["http"].rstrip("/")

    @property
    def fhir(self):
        return self.http + "/fhir"

    @property
    def dicomweb(self):
        return self.http + "/dicomweb"

    @property
    def dimse(self):
        return self.endpoints["dimse"]

    @property
    def mllp(self):
        return self.endpoints["mllp"]

    @property
    def ca(self):
        return str(self.folder / "tls" / "ca.pem")

    @property
    def verify(self):
        """What `requests` verifies the server with."""
        return self.ca if urlsplit(self.http).scheme == "https" else True

    def tls_context(self):
        return ssl.create_default_context(cafile=self.ca)

    def dimse_tls(self):
        """pynetdicom's `tls_args`, or None where the listener speaks clear text."""
        return (self.tls_context(), "localhost") if self.dimse.get("tls") else None
