"""One group of checks by itself."""

import pathlib
import shutil
import tempfile
from urllib.parse import urlsplit

from hilum_server import HilumServer
from report import Report, expect


def whole(name, check, keep=False):
    """`check(report, folder)`, which starts what it needs in the folder. Gives the exit code."""
    report = Report()
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"hilum-{name}."))
    try:
        check(report, folder)
    except Exception as error:  # whatever a check forgot to catch
        report.raised(name, "driven to its end", error)
    finally:
        if keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for group, name, _, state, detail in report.rows:
        print(f"{state}: {group}/{name} {detail}")
    print(report.again(), end="")
    return 1 if report.failed else 0


def run(name, check, prepare=lambda server, folder: folder):
    """`check(report, server, prepared)` on a server of its own with HTTPS, where `prepare` is called before the server
    starts. Gives the exit code."""
    def drive(report, folder):
        server = HilumServer(folder / "hilum", log=folder / "hilum.log")
        try:
            server.init()
            prepared = prepare(server, folder)
            server.start()
            expect(urlsplit(server.http).scheme == "https", server.http)
            check(report, server, prepared)
        finally:
            server.stop()

    return whole(name, drive)
