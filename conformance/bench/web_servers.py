"""Servers on loopback that are asked the same by DICOMweb: Hilum, Debian's Orthanc, and nginx with static files as bound;
and two clients of them, one that counts what it reads and wrk."""

import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import time
from urllib.parse import urlsplit

import measuring
import series

GDCM = pathlib.Path("/usr/share/orthanc/plugins/libOrthancGdcm.so")
JPEG_2000 = ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"]
# Seconds that an answer may take.
PATIENCE = 300


class Refused(Exception):
    """What a server does not do, or not as asked."""


class WebServer:
    """A server and who asks it; `base` is where its DICOMweb begins."""

    def __init__(self, name, base, process, bearer=None):
        self.name, self.base, self.process, self.bearer = name, base, process, bearer

    def headers(self):
        return {"Authorization": f"Bearer {self.bearer()}"} if self.bearer else {}

    def forget_peak(self):
        """The kernel counts the peak of resident memory anew."""
        with contextlib.suppress(OSError):
            pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


class Reader:
    """One connection that is kept open, and opened anew where the server has closed it."""

    def __init__(self, server):
        parts = urlsplit(server.base)
        self.server, self.path = server, parts.path
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        self.buffer = memoryview(bytearray(1 << 20))

    def begin(self, method, path, headers, body=None):
        fields = {**self.server.headers(), **headers}
        for attempt in (1, 2):
            try:
                self.connection.request(method, self.path + path, body, fields)
                return self.connection.getresponse()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
                self.connection.close()
                if attempt == 2 or body is not None:
                    raise Refused(f"the connection broke off: {error!r}") from error
            except TimeoutError as error:
                self.connection.close()
                raise Refused(f"no answer in {PATIENCE} s") from error

    def read(self, path, accept):
        """(ms to the first byte of the body, ms to the last, bytes); what is read is thrown away."""
        begun = time.perf_counter()
        answer = self.begin("GET", path, {"Accept": accept})
        self.expect(answer)
        size = answer.readinto(self.buffer[:1])
        first = time.perf_counter() - begun
        while count := answer.readinto(self.buffer):
            size += count
        return first * 1000, (time.perf_counter() - begun) * 1000, size

    def whole(self, path, accept):
        """A body, kept."""
        answer = self.begin("GET", path, {"Accept": accept})
        self.expect(answer)
        return answer.read()

    def send(self, path, kind, parts, length):
        """Posts a body that comes in parts; seconds until it is answered."""
        begun = time.perf_counter()
        fields = {"Content-Type": kind, "Content-Length": str(length), "Accept": "application/dicom+json"}
        answer = self.begin("POST", path, fields, parts)
        self.expect(answer)
        answer.read()
        return time.perf_counter() - begun

    def expect(self, answer):
        if answer.status != 200:
            text = answer.read(300)
            self.connection.close()
            raise Refused(f"answered {answer.status}: {text!r}")

    def close(self):
        self.connection.close()


def wrk(server, paths, accept, seconds, connections, folder):
    """Requests a second of so many connections that ask for one path after the other, without end."""
    fields = {**server.headers(), "Accept": accept}
    path = urlsplit(server.base).path
    script = folder / "wrk.lua"
    script.touch(mode=0o600)
    # Long brackets: no word of these has one.
    script.write_text("\n".join([
        *(f"wrk.headers[ [==[{name}]==] ] = [==[{value}]==]" for name, value in fields.items()),
        "local paths = {" + ",".join(f"[==[{path + each}]==]" for each in paths) + "}",
        "local ready, at = {}, 0",
        "init = function(args) for i, each in ipairs(paths) do ready[i] = wrk.format('GET', each) end end",
        "request = function() at = at % #ready + 1; return ready[at] end",
        "done = function(summary, latency, requests)",
        "  local e = summary.errors",
        "  io.write(string.format('BENCH {\"requests\":%d,\"us\":%d,\"failed\":%d,\"broken\":%d}\\n', summary.requests,",
        "    summary.duration, e.status, e.connect + e.read + e.write + e.timeout))",
        "end", ""]))
    parts = urlsplit(server.base)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script),
         f"http://{parts.hostname}:{parts.port}/"], capture_output=True, text=True, timeout=seconds + 120)
    found = [line for line in done.stdout.splitlines() if line.startswith("BENCH ")]
    if done.returncode or not found:
        raise Refused(f"wrk ended with {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
    told = json.loads(found[0].removeprefix("BENCH "))
    if told["failed"] or told["broken"] or not told["requests"]:
        raise Refused(f"{told['failed']} of {told['requests']} requests failed, {told['broken']} broke off")
    return told["requests"] / told["us"] * 1e6


@contextlib.contextmanager
def hilum(name, folder, *options):
    server = series.HilumServer(folder, options=["--plain-loopback"])
    server.command("init", folder, "--http-port", 0, "--dimse-port", 0, "--mllp-port", 0, *options)
    server.start()
    try:
        client = series.BackendClient(server, folder.name, "ES384", "system/*.cruds", folder.parent)
        yield WebServer(name, server.dicomweb, server.process, client.bearer)
    finally:
        server.stop()


@contextlib.contextmanager
def orthanc(folder):
    """With GDCM for JPEG 2000, which it has no decoder of its own for, where that is installed."""
    plugins = {"Gdcm": {"RestrictTransferSyntaxes": JPEG_2000}} if GDCM.exists() else {}
    with series.orthanc_process(folder, [GDCM] if GDCM.exists() else [], **plugins) as (base, process):
        yield WebServer("Orthanc", base, process)


@contextlib.contextmanager
def nginx(folder):
    """Static files of the folder `root` in a folder, by sendfile, with a worker a core."""
    (folder / "root").mkdir(parents=True)
    port = measuring.free_port()
    kept = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"{'user root;' if os.geteuid() == 0 else ''} daemon off; worker_processes auto; pid {folder}/nginx.pid;\n"
        f"error_log {folder}/error.log; events {{ worker_connections 256; }}\n"
        f"http {{ {kept} access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;\n"
        f"default_type application/octet-stream; server {{ listen 127.0.0.1:{port}; root {folder}/root; }} }}\n")
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    server = WebServer("nginx, the same bytes as files", f"http://127.0.0.1:{port}", process)
    try:
        (folder / "root" / "ready").write_text("ready")
        for _ in range(100):
            with contextlib.suppress(OSError, Refused):
                Reader(server).whole("/ready", "*/*")
                break
            time.sleep(0.05)
        else:
            raise SystemExit(f"nginx did not listen: {(folder / 'error.log').read_text()[-500:]}")
        yield server
    finally:
        process.terminate()
        process.wait(20)
