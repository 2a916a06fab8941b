"""Archives of others on loopback: Debian's Orthanc and DCMTK's dcmqrscp."""

import contextlib
import json
import os
import subprocess
import time

from check_query_retrieve import free_port
from check_scp import listening, wait_for_port
from report import expect


class Archive:
    def __init__(self, title, port, tls=False, log=None, asked=()):
        self.title, self.port, self.tls, self.log, self.asked = title, port, tls, log, asked

    def retrievals(self):
        """C-GET and C-MOVE requests that its log tells of; it has to be verbose."""
        text = self.log.read_text(errors="replace")
        return sum(text.count(word) for word in self.asked)

    def store(self, paths):
        """By storescu, as a modality."""
        done = subprocess.run(
            ["storescu", *(["+tla", "-ic"] if self.tls else []), "-xe", "-aet", "MODALITY", "-aec", self.title, "127.0.0.1",
             str(self.port), *(str(path) for path in paths)],
            capture_output=True, text=True, timeout=120,
            env={"DCMDICTPATH": "/usr/share/libdcmtk17/dicom.dic", "PATH": "/usr/bin:/bin", "TCP_NODELAY": "1"})
        expect(done.returncode == 0, f"storescu to {self.title}: {done.stdout[-300:]}{done.stderr[-300:]}")


@contextlib.contextmanager
def orthanc(folder, title="ORTHANC", modalities=(), port=None, tls=None, verbose=False, **settings):
    """`modalities` are (AE title, port) that may query, retrieve and be moved to; `tls` is a key, a certificate and the
    authorities of callers; `settings` go over the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    (folder / "orthanc.json").write_text(json.dumps({
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"), "HttpServerEnabled": False,
        "DicomServerEnabled": True, "DicomAet": title, "DicomPort": port, "DicomCheckCalledAet": True,
        "DicomModalities": {name: [name, "127.0.0.1", at] for name, at in modalities}, "Plugins": [],
        "DicomAlwaysAllowStore": True, "DicomCheckModalityHost": False,
        **({"DicomTlsEnabled": True, "DicomTlsPrivateKey": str(tls[0]), "DicomTlsCertificate": str(tls[1]),
            "DicomTlsTrustedCertificates": str(tls[2]), "DicomTlsRemoteCertificateRequired": False} if tls else {}),
        **settings,
    }))
    with open(folder / "log", "ab") as log:
        # DCMTK, which speaks for it, would wait for acknowledgments of TCP else.
        process = subprocess.Popen(
            ["Orthanc", *(["--verbose"] if verbose else []), str(folder / "orthanc.json")], stdout=log, stderr=log,
            env={**os.environ, "TCP_NODELAY": "1"})
    try:
        wait_for_port(port, process)
        yield Archive(title, port, bool(tls), folder / "log", ("Incoming Get request", "Incoming Move request"))
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def dcmqrscp(folder, title="DCMQRSCP", modalities=(), port=None, verbose=False, more=()):
    """`modalities` are (AE title, port) that are known; all others are let in too unless `more` says otherwise."""
    area = folder / "area"
    area.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    hosts = "".join(f"{name.lower()} = ({name}, 127.0.0.1, {at})\n" for name, at in modalities)
    peers = ", ".join(name.lower() for name, _ in modalities) if "peers-only" in more else "ANY"
    (folder / "dcmqrscp.cfg").write_text(
        f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
        f"HostTable BEGIN\n{hosts}HostTable END\nVendorTable BEGIN\nVendorTable END\n"
        f"AETable BEGIN\n{title} {area} RW (500, 1024mb) {peers}\nAETable END\n")
    words = [word for word in more if word != "peers-only"]
    with listening(["dcmqrscp", *(["-v"] if verbose else []), "-c", folder / "dcmqrscp.cfg", *words, port], port, folder / "log"):
        time.sleep(0.1)
        yield Archive(title, port, log=folder / "log", asked=(": C-GET RQ", ": C-MOVE RQ"))
