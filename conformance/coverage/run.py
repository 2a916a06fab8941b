#!/usr/bin/env python3
"""How much of real messages reaches FHIR or the worklist: figures by message type, from the server's own record.

Sends every message of the folders to a server of its own and sums what `GET /ops/messages` would tell of each. Without
folders: the samples named by HILUM_SAMPLES where that is set, else the committed vectors. Needs the built `hilum` and
nothing beside Python's standard library.

    conformance/coverage/run.py [--unmapped] [FOLDER ...]
"""

import argparse
import collections
import json
import os
import pathlib
import socket
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "conformance" / "clients"))
from hilum_server import HilumServer  # noqa: E402

VECTORS = [ROOT / "conformance" / "coverage" / "messages", ROOT / "conformance" / "vectors" / "hl7v2"]
DISPOSITIONS = ("mapped", "kept", "unmapped")
# The header says nothing of a patient; it is told apart from what does, as are position numbers (`kept`).
ENVELOPE = ("MSH",)


def messages(folder):
    """The messages of a folder, MLLP frames and line ends of every kind taken away."""
    for path in sorted(pathlib.Path(folder).rglob("*.hl7")):
        text = path.read_bytes().replace(b"\x0b", b"").replace(b"\x1c", b"").replace(b"\r\n", b"\r").replace(b"\n", b"\r")
        current = []
        for line in text.split(b"\r"):
            if line.startswith(b"MSH") and current:
                yield path, b"\r".join(current) + b"\r"
                current = []
            if line.startswith(b"MSH") or current:
                if line.strip():
                    current.append(line)
        if current:
            yield path, b"\r".join(current) + b"\r"


def as_production(message):
    """The message with MSH-11 `P` and a control id of its own: samples are marked for training and share ids."""
    header, _, rest = message.partition(b"\r")
    separator = header[3:4]
    fields = header.split(separator)
    while len(fields) < 12:
        fields.append(b"")
    as_production.count += 1
    fields[9] = b"COV%d" % as_production.count
    fields[10] = b"P"
    fields[11] = fields[11] or b"2.5.1"
    return separator.join(fields) + b"\r" + rest


as_production.count = 0


def send(server, message):
    where = server.mllp
    with socket.create_connection((where["host"], where["port"]), timeout=30) as plain:
        stream = server.tls_context().wrap_socket(plain, server_hostname="localhost") if where.get("tls") else plain
        stream.sendall(b"\x0b" + message + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            more = stream.recv(65536)
            if not more:
                break
            answer += more
        return answer


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*")
    parser.add_argument("--unmapped", action="store_true", help="list what was not mapped, most frequent first")
    parser.add_argument("--least", type=float, default=0, help="end with 1 below this share of mapped values, in percent")
    arguments = parser.parse_args()
    named = [os.environ["HILUM_SAMPLES"]] if os.environ.get("HILUM_SAMPLES") else []
    folders = arguments.folders or named or [str(folder) for folder in VECTORS if folder.exists()]

    with tempfile.TemporaryDirectory(prefix="hilum-coverage-") as work:
        server = HilumServer(pathlib.Path(work) / "server")
        server.init()
        configuration = server.folder / "hilum.yaml"
        text = configuration.read_text()
        configuration.write_text(text.replace("accept-unknown-peers: false", "accept-unknown-peers: true"))
        sent = [(path, as_production(message)) for folder in folders for path, message in messages(folder)]
        for path, message in sent:
            fields = message.split(b"\r")[0].split(message[3:4])
            server.add_sender(*(part.split(b"^")[0].decode("latin-1") for part in fields[2:4]))
        server.start()
        try:
            for _, message in sent:
                send(server, message)
        finally:
            server.stop()
        listed = json.loads(server.command("message", "list", server.folder, "--json", "--limit", 1000))["messages"]
        whole = [
            json.loads(server.command("message", "show", server.folder, entry["id"], "--json"))
            for entry in listed if "coverage" in entry
        ]
        refused = collections.Counter(entry["type"] for entry in listed if "coverage" not in entry)
    if not whole:
        sys.exit("no message was accepted")
    report(whole, refused, arguments)


def report(whole, refused, arguments):
    by_type = collections.defaultdict(collections.Counter)
    unmapped = collections.Counter()
    for message in whole:
        row = by_type[message["type"]]
        row["messages"] += 1
        for value in message["values"]:
            if value["place"].split("-")[0].split("[")[0] in ENVELOPE:
                row["envelope"] += value["count"]
                continue
            row[value["disposition"]] += value["count"]
            if value["disposition"] == "unmapped":
                unmapped[value["place"]] += value["count"]
        row["counted"] += sum(message["coverage"][name] for name in DISPOSITIONS)
        row["listed"] += sum(value["count"] for value in message["values"])
    total = collections.Counter()
    for row in by_type.values():
        total.update(row)

    def line(name, row):
        said = row["mapped"] + row["unmapped"]
        share = 100 * row["mapped"] / said if said else 100
        print(f"| {name} | {row['messages']} | {said} | {row['mapped']} | {share:.1f} % | {row['kept']} | {row['envelope']} |")
        return share

    print("| message | accepted | values | mapped | share | kept (order) | envelope |")
    print("|---|---|---|---|---|---|---|")
    for name in sorted(by_type):
        line(name, by_type[name])
    share = line("all", total)
    print(f"\n{total['listed']} of {total['counted']} populated components are mapped, kept or listed.")
    if refused:
        print("Refused: " + ", ".join(f"{name} {count}" for name, count in sorted(refused.items())) + ".")
    if arguments.unmapped:
        for place, count in unmapped.most_common():
            print(f"{count}\t{place}")
    if total["listed"] != total["counted"]:
        sys.exit("values are missing from the record")
    if share < arguments.least:
        sys.exit(f"{share:.1f} % is less than {arguments.least} %")


if __name__ == "__main__":
    main()
