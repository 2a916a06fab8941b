"""Two DICOM doors of one server, in clear text on loopback and by TLS, as the checks drive them."""

import re


def prepare(server, plain=False):
    """Writes `doors:` in place of the short forms; before the server starts. The checks of other doors use the first
    DICOM door, which is by TLS, or in clear text when all is to be (`plain`)."""
    path = server.folder / "hilum.yaml"
    short = re.compile(r"^(http|dimse|mllp):")
    lines, inside = [], False
    for line in path.read_text().splitlines():
        inside = bool(short.match(line)) or (inside and line.startswith(" "))
        if not inside:
            lines.append(line)
    tls, other = ("off", "required") if plain else ("required", "off")
    titles = "[HILUM, { title: HILUM_ORTHANC, archives: [ORTHANC] }, { title: HILUM_ALONE, archives: [] }]"
    lines += [
        "worklist-stations: { CT: [CT1] }", "doors:",
        f"  - {{ protocol: http, host: 127.0.0.1, port: 0, tls: {tls} }}",
        *(f"  - {{ protocol: dimse, host: 127.0.0.1, port: 0, tls: {which}, ae-titles: {titles} }}" for which in (tls, other)),
        f"  - {{ protocol: mllp, host: 127.0.0.1, port: 0, tls: {tls} }}",
    ]
    path.write_text("\n".join(lines) + "\n")


class Door:
    """The server as the checks see it through one DICOM door."""

    def __init__(self, server, endpoint):
        self.server = server
        self.dimse = {**server.dimse, "port": endpoint["port"], "tls": endpoint["tls"] != "off"}
        self.name = "TLS" if self.dimse["tls"] else "clear"

    def called(self, title):
        """The same door, called by another of its titles."""
        other = Door.__new__(Door)
        other.__dict__.update(self.__dict__, dimse={**self.dimse, "ae": title})
        return other

    def dimse_tls(self):
        return (self.server.tls_context(), "localhost") if self.dimse["tls"] else None

    def __getattr__(self, name):
        return getattr(self.server, name)


def doors(server):
    """The DICOM doors of a running server, that in clear text first."""
    found = [Door(server, each) for each in server.endpoints["doors"] if each["protocol"] == "dimse"]
    return sorted(found, key=lambda door: door.dimse["tls"])
