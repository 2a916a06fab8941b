"""Starts Hilum in a temporary folder, drives it with clients that others wrote, and writes RESULTS.md."""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import check_archives  # noqa: E402
import check_audit  # noqa: E402
import check_bulk  # noqa: E402
import check_canaries  # noqa: E402
import check_commitment  # noqa: E402
import check_committed  # noqa: E402
import check_dicom  # noqa: E402
import check_dicomweb  # noqa: E402
import check_dimse_hostile  # noqa: E402
import check_facade  # noqa: E402
import check_fhir  # noqa: E402
import check_hl7  # noqa: E402
import check_hl7_out  # noqa: E402
import check_import  # noqa: E402
import check_iocm  # noqa: E402
import check_keys  # noqa: E402
import check_launch  # noqa: E402
import check_modality_web  # noqa: E402
import check_mpps  # noqa: E402
import check_notifications  # noqa: E402
import check_open_viewer  # noqa: E402
import check_operations  # noqa: E402
import check_outside  # noqa: E402
import check_presentation  # noqa: E402
import check_query_retrieve  # noqa: E402
import check_remote_studies  # noqa: E402
import check_rendered  # noqa: E402
import check_roles  # noqa: E402
import check_scp  # noqa: E402
import check_scu  # noqa: E402
import check_signin  # noqa: E402
import check_slides  # noqa: E402
import check_smart  # noqa: E402
import check_transcode  # noqa: E402
import check_ups  # noqa: E402
import dicom_files  # noqa: E402
import dimse_doors  # noqa: E402
from hilum_server import BINARY, HilumServer  # noqa: E402
from report import Report, equal  # noqa: E402
from smart import BackendClient  # noqa: E402

# Two runs side by side, each with servers of its own; the second waits much and computes little.
SIDES = [["smart", "hl7", "dimse", "dicomweb", "transcode", "fhir", "bulk", "hl7-out", "operations", "committed"],
         ["scp", "scu", "archives", "facade", "import", "keys", "outside", "audit", "canaries", "hostile"]]
PARTS = SIDES[0] + SIDES[1]


class Parts:
    """Drives what is wanted, and says of each part how long it took. One that raises is a row, and the rest goes on."""

    def __init__(self, wanted, report):
        self.wanted, self.report = wanted, report

    def drive(self, part, work, *given, **named):
        if part not in self.wanted:
            return
        begun = time.monotonic()
        try:
            work(*given, **named)
        except Exception as error:  # whatever a check forgot to catch
            self.report.raised(part, "driven to its end", error)
        print(f"{part}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)


def plain_sample(samples):
    """One uncompressed sample with pixels, for QIDO and frames."""
    return next(s for s in samples if str(s.transfer_syntax) == "1.2.840.10008.1.2.1"
                and "PixelData" in s.data_set and s.data_set.get("PatientID") and s.data_set.BitsAllocated in (8, 16))


def run(arguments):
    report = Report()
    parts = Parts(arguments.parts, report)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hilum-clients."))
    server = HilumServer(folder / "hilum", postgres=arguments.postgres, log=folder / "hilum.log")
    try:
        server.init()
        for title in ("CLIENTS", "STORESCU", "FINDSCU", "ECHOSCU"):
            server.add_ae(title)
        receiver, committer = check_query_retrieve.prepare(server), check_commitment.prepare(server)
        scp, scu = check_scp.prepare(server, folder), check_scu.prepare(server, folder)
        dimse_doors.prepare(server, plain=arguments.plain)
        performer = check_ups.prepare(server)
        check_open_viewer.prepare(server)
        server.add_sender(check_hl7.SENDER, check_hl7.FACILITY)
        backend = BackendClient(server, "everything", "ES384", "system/*.cruds", folder)
        server.start()
        report.note(f"Ready {server.start_seconds:.2f} s after the start; {server.rss_kib() / 1024:.0f} MiB resident.")
        drive(arguments, parts, report, server, backend, folder, receiver, committer, scp, scu, performer)
        # Each with servers of its own.
        plain, postgres = arguments.plain, arguments.postgres
        parts.drive("hl7-out", check_hl7_out.check, report, folder, plain, postgres)
        parts.drive("facade", check_facade.check, report, folder, postgres)
        parts.drive("committed", check_committed.check, report, folder, postgres)
        parts.drive("audit", check_audit.check, report, folder, postgres)
        parts.drive("canaries", check_canaries.check, report, folder, postgres)
        parts.drive("import", check_import.check, report, folder, plain, postgres)
        parts.drive("operations", check_operations.check, report, folder, plain, postgres)
        parts.drive("keys", check_keys.check, report, folder, plain, postgres)
        parts.drive("outside", check_outside.check, report, folder, plain, postgres)
    finally:
        code = server.stop()
        if not report.rows or code != 0:
            print(server.log_tail(4000), file=sys.stderr)
        if arguments.keep:
            print(f"kept in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.check("server", "SIGTERM drains and exits 0", lambda: equal(code, 0, "exit code"))
    return report


def drive(arguments, parts, report, server, backend, folder, receiver, committer, scp, scu, performer):
    """The parts that share one server."""
    files, refused = dicom_files.test_files()
    if arguments.quick:
        # A dozen, and a report.
        reports = [each for each in files if each[0].endswith("test-SR.dcm")]
        files = files[:: max(1, len(files) // 12)]
        files += [each for each in reports if each not in files]

    def smart():
        check_smart.check(report, server, folder)
        check_signin.check(report, server, folder)
        check_launch.check(report, server, backend)
        check_roles.check(report, server, backend)

    def dimse():
        waiting = check_hl7.order("ORM-MWL", "CLIENT2", "ACC200", "PL200", "FI200")
        report.check("hl7", "an order for the worklist", lambda: check_hl7.acknowledged(
            check_hl7.ask(server, waiting), "ORM-MWL") and None, "HL7 v2.5.1 §4.4.1")
        check_dicom.check_echo(report, server)
        check_dicom.check_worklist_pynetdicom(report, server, "ACC200")
        by_dcmtk = check_dicom.check_dcmtk(report, server, files, folder, "ACC200")
        check_dicom.compare(report, server, backend, by_dcmtk, "storescu")
        stored = check_dicom.send_by_c_store(
            report, server, [dicom_files.relabelled(name, path, "c-store") for name, path in files])
        check_dicom.compare(report, server, backend, stored, "c-store")
        check_query_retrieve.check(report, server, stored, receiver, folder)
        check_commitment.check(report, server, stored, committer)
        check_mpps.check(report, server, "ACC200")
        waiting = check_hl7.order("ORM-WEB", "CLIENT3", "ACC201", "PL201", "FI201")
        report.check("hl7", "another order for the worklist", lambda: check_hl7.acknowledged(
            check_hl7.ask(server, waiting), "ORM-WEB") and None, "HL7 v2.5.1 §4.4.1")
        check_modality_web.check(report, server, backend, stored, "ACC201")
        check_ups.check(report, server, backend, performer)
        check_notifications.check(report, server, backend)

    def dicomweb():
        stored = check_dicom.send_by_stow(
            report, server, backend, [dicom_files.relabelled(name, path, "stow") for name, path in files])
        check_dicom.compare(report, server, backend, stored, "stow")
        check_rendered.check(report, server, backend, check_dicom.web_client(server, backend), stored)
        check_presentation.check(report, server, backend)
        check_dicomweb.check(report, server, backend, stored)
        check_open_viewer.check(report, server, backend, stored, files)
        check_slides.check(report, server, backend)
        if stored:
            check_dicom.check_query(report, server, backend, plain_sample(stored))
        check_iocm.check(report, server, backend, files, folder)

    def archives():
        check_archives.check(report, dimse_doors.doors(server), backend, folder)
        check_remote_studies.check(report, folder)

    with check_fhir.Judge() as judge:
        parts.drive("smart", smart)
        parts.drive("hl7", check_hl7.check, report, server, backend, accession="ACC100")
        parts.drive("dimse", dimse)
        parts.drive("dicomweb", dicomweb)
        parts.drive("transcode", lambda: check_transcode.check(
            report, server, dimse_doors.doors(server)[0], backend, folder))
        parts.drive("fhir", check_fhir.check, report, server, backend, folder)
        parts.drive("bulk", check_bulk.check, report, server, backend, folder)
        parts.drive("scp", lambda: check_scp.check(report, dimse_doors.doors(server), folder, scp, backend.bearer()))
        parts.drive("scu", lambda: check_scu.check(report, dimse_doors.doors(server), folder, scu))
        parts.drive("archives", archives)
        parts.drive("hostile", lambda: check_dimse_hostile.check(report, dimse_doors.doors(server), backend))
    for problem, where in sorted(judge.problems.items()):
        report.add("fhirkit", where, False, problem, "FHIR R4")
    report.add("fhirkit", f"{judge.bodies} FHIR bodies judged", judge.bodies > 0 or "fhir" not in arguments.parts)
    report.note(f"pydicom's package: {len(files)} valid Part 10 files sent by each door; "
                f"{len(refused)} not sent: " + "; ".join(f"{n} ({r})" for n, r in refused) + ".")
    if report.add("server", "still running at the end", server.is_running()):
        report.note(f"{server.rss_kib() / 1024:.0f} MiB resident at the end.")


def run_beside(arguments, parts, folder):
    """The same with other parts, in a process of its own; gives it and where its rows will be."""
    rows = pathlib.Path(folder) / "rows.json"
    words = [sys.executable, __file__, "--parts", ",".join(parts), "--json", str(rows)]
    words += [f"--{name}" for name in ("quick", "plain", "keep") if getattr(arguments, name)]
    if arguments.postgres:
        words += ["--postgres", arguments.postgres]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL), rows


def run_all(arguments):
    """All parts, in two runs side by side."""
    with tempfile.TemporaryDirectory(prefix="hilum-clients-rows.") as folder:
        other, rows = run_beside(arguments, SIDES[1], folder)
        try:
            arguments.parts = SIDES[0]
            report = run(arguments)
            code = other.wait()
        finally:
            other.terminate()
        if rows.exists():
            told = json.loads(rows.read_text())
            report.rows += [tuple(row) for row in told["rows"]]
            report.notes += told["notes"]
        else:
            report.add("run", "the parts beside", False, f"ended with {code}")
    arguments.parts = PARTS
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated: " + ", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="a dozen of pydicom's files only; RESULTS.md stays")
    parser.add_argument("--plain", action="store_true", help="clear text on loopback instead of TLS")
    parser.add_argument("--postgres", help="a libpq connection string instead of SQLite")
    parser.add_argument("--keep", action="store_true", help="keep the server's folder")
    parser.add_argument("--json", help="also write the rows here")
    arguments = parser.parse_args()
    arguments.parts = arguments.parts.split(",")
    if not BINARY.exists():
        sys.exit(f"{BINARY} is not there: make build")
    begun = time.monotonic()
    report = run_all(arguments) if arguments.parts == PARTS and not arguments.postgres else run(arguments)
    text = report.markdown("What other people's clients say")
    if arguments.parts == PARTS and not arguments.quick:
        (HERE / "RESULTS.md").write_text(text)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps({"rows": report.rows, "notes": report.notes}, indent=1))
    print("\n".join(line for line in text.split("## Every check")[0].splitlines()))
    print(f"{time.monotonic() - begun:.0f} s")
    expected = report.count("expected failure")
    print(report.again(), end="")
    print(f"clients: {report.count('pass', 'pass (was expected to fail)')} passed, {report.failed} failed"
          + (f", {expected} skipped" if expected else ""))
    sys.exit(1 if report.failed else 0)


if __name__ == "__main__":
    main()
