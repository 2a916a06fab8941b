"""One group of checks by itself, on a server of its own with HTTPS."""

import pathlib
import shutil
import tempfile
from urllib.parse import urlsplit

from hilum_server import HilumServer
from report import Report, expect


def run(name, check, prepare=lambda server, folder: folder):
    """`check(report, server, prepared)`, where `prepare` is called before the server starts. Gives the exit code."""
    report = Report()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hilum-{name}."))
    server = HilumServer(folder / "hilum", log=folder / "hilum.log")
    try:
        server.init()
        prepared = prepare(server, folder)
        server.start()
        expect(urlsplit(server.http).scheme == "https", server.http)
        check(report, server, prepared)
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    for group, name, _, state, detail in report.rows:
        print(f"{state}: {group}/{name} {detail}")
    return 1 if report.failed else 0
