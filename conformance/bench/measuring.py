"""What the measurements of a running Hilum share: servers in temporary folders that end with the measurement, databases
of their own, connections, figures of processes, progress on a terminal, and tables."""

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import uuid
from urllib.parse import urlsplit

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))

from hilum_server import HilumServer  # noqa: E402

TICKS = 100  # USER_HZ of Linux, in which /proc tells processor time.


def arguments(parser):
    """Parses, and makes SIGTERM end a measurement as ^C does: everything that it began ends with it."""
    parser.add_argument("--postgres", default=os.environ.get("HILUM_TEST_POSTGRES"),
                        help="libpq keywords of a PostgreSQL server: measures that database as well")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="one database")
    parser.add_argument("--json", action="store_true", help="the figures as lines of JSON, and no table")
    parser.add_argument("--keep", action="store_true", help="leaves the servers' folders")
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    return parser.parse_args()


def databases(given):
    found = ["sqlite"] + (["postgres"] if given.postgres else [])
    return [name for name in found if given.only in (None, name)]


def main(work):
    """Runs a measurement; ^C is no error of the program's."""
    try:
        sys.exit(work())
    except KeyboardInterrupt:
        progress()
        print("ended before its end", file=sys.stderr)
        sys.exit(130)


def free_port():
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def database(given, kind):
    """A connection string of a new database, which is dropped behind it; None for SQLite."""
    if kind == "sqlite":
        yield None
        return
    name = f"bench_{uuid.uuid4().hex[:8]}"

    def run(command, check):
        subprocess.run(["psql", "--no-psqlrc", "--quiet", "--dbname", given.postgres, "--command", command], check=check,
                       capture_output=True, text=True)

    run(f"CREATE DATABASE {name}", True)
    try:
        yield f"{given.postgres} dbname={name}"
    finally:
        # After ^C its server may be gone already.
        run(f"DROP DATABASE {name} WITH (FORCE)", False)


@contextlib.contextmanager
def server(given, kind, configuration="", options=()):
    """A server that is set up and not started, and its folder; stopped and removed whatever happens."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-bench."))
    try:
        with database(given, kind) as postgres:
            one = HilumServer(folder / "hilum", postgres=postgres, log=folder / "hilum.log", options=list(options))
            try:
                # The same address after another start: tokens are of it.
                one.init(ports=(free_port(), 0, 0))
                if configuration:
                    with open(one.folder / "hilum.yaml", "a") as file:
                        file.write(configuration)
                yield one, folder
            finally:
                one.stop(120)
    finally:
        if given.keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


# Figures of a process

def cpu_seconds(one):
    fields = pathlib.Path(f"/proc/{one.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_mib(one):
    for line in pathlib.Path(f"/proc/{one.process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def anonymous_mib(one):
    """Memory that the process has taken itself, without pages of its program and of files."""
    for line in pathlib.Path(f"/proc/{one.process.pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def percentile(values, part):
    """The value below which a part of the values is, by nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(part * len(ranked)))]


class Connection:
    """One connection that is kept open; opened anew where the server has closed it."""

    def __init__(self, one, source=None):
        parts = urlsplit(one.http)
        source = (source, 0) if source else None
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=one.ca)
            self.connection = http.client.HTTPSConnection(
                parts.hostname, parts.port, timeout=60, context=context, source_address=source)
        else:
            self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60, source_address=source)

    def send(self, method, path, headers=None, body=None):
        """The status, the fields and the body of an answer, which is read to its end."""
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, body, headers or {})
                answer = self.connection.getresponse()
                return answer.status, answer.headers, answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                if attempt == 2:
                    raise

    def close(self):
        self.connection.close()


# What is told

def progress(text=""):
    """A line on a terminal that the next one replaces; nothing elsewhere."""
    if sys.stderr.isatty():
        print("\r\x1b[K" + text, end="", file=sys.stderr, flush=True)


class Waiting:
    """Progress of what takes long, a few times a second at most."""

    def __init__(self, label):
        self.label, self.last = label, 0.0

    def tell(self, text):
        if time.monotonic() - self.last > 0.2:
            self.last = time.monotonic()
            progress(f"{self.label}: {text}")


def tell(given, rows, columns):
    """Rows as lines of JSON, or as a table of some of their members."""
    progress()
    if given.json:
        for row in rows:
            print(json.dumps(row), flush=True)
        return
    texts = [[title for title, _ in columns]] + [[str(row.get(name, "")) for _, name in columns] for row in rows]
    widths = [max(len(line[number]) for line in texts) for number in range(len(columns))]
    for line in texts:
        print("  ".join(text.rjust(width) if number else text.ljust(width)
                        for number, (text, width) in enumerate(zip(line, widths))), flush=True)
