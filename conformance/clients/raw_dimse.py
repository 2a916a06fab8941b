"""DICOM associations by hand, for peers that do not keep to PS3.7 and PS3.8, and for load."""

import socket
import struct

APPLICATION = b"1.2.840.10008.3.1.1.1"
IMPLICIT, EXPLICIT = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.1"


def item(kind, body):
    return struct.pack(">BBH", kind, 0, len(body)) + body


def pdu(kind, body):
    return struct.pack(">BBI", kind, 0, len(body)) + body


def associate_rq(called, calling, contexts, max_pdu=131072, roles=()):
    """`contexts` are (id, abstract syntax, [transfer syntax]); `roles` are SOP classes of which the SCP role is asked."""
    proposed = b"".join(
        item(0x20, struct.pack(">BBBB", number, 0, 0, 0) + item(0x30, abstract)
             + b"".join(item(0x40, each) for each in syntaxes))
        for number, abstract, syntaxes in contexts)
    user = item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"1.2.826.0.1.3680043.8.498.1") + b"".join(
        item(0x54, struct.pack(">H", len(uid)) + uid + b"\x01\x01") for uid in roles)
    return pdu(1, struct.pack(">HH", 1, 0) + called.ljust(16).encode() + calling.ljust(16).encode() + bytes(32)
               + item(0x10, APPLICATION) + proposed + item(0x50, user))


def items(body):
    """(kind, content) of items one after the other."""
    at = 0
    while at + 4 <= len(body):
        kind, _, length = struct.unpack_from(">BBH", body, at)
        yield kind, body[at + 4 : at + 4 + length]
        at += 4 + length


def associate_ac(request, result=0, extra=(), syntax=None, max_pdu=16384):
    """Accepts every context of a request's body, in the first transfer syntax; `extra` are contexts that nobody proposed."""
    contexts = []
    for kind, content in items(request[68:]):
        if kind == 0x20:
            first = next(part for sub, part in items(content[4:]) if sub == 0x40)
            contexts.append((content[0], syntax or first))
    accepted = b"".join(
        item(0x21, struct.pack(">BBBB", number, 0, result, 0) + item(0x40, chosen))
        for number, chosen in [*contexts, *extra])
    return pdu(2, struct.pack(">HH", 1, 0) + request[4:36] + bytes(32) + item(0x10, APPLICATION) + accepted
               + item(0x50, item(0x51, struct.pack(">I", max_pdu)) + item(0x52, b"1.2.3")))


def accepted(body):
    """{context id: transfer syntax} of an A-ASSOCIATE-AC."""
    found = {}
    for kind, content in items(body[68:]):
        if kind == 0x21 and content[2] == 0:
            found[content[0]] = next((part for sub, part in items(content[4:]) if sub == 0x40), b"")
    return found


def element(group, number, value):
    """Implicit VR Little Endian."""
    return struct.pack("<HHI", group, number, len(value)) + value


def text(value, pad=b" "):
    value = value if isinstance(value, bytes) else value.encode()
    return value + pad * (len(value) % 2)


def uid(value):
    return text(value, b"\0")


def command(field, **more):
    """A command set: `field` is its number; `more` has elements by name."""
    numbers = {"affected_class": 0x0002, "requested_class": 0x0003, "message": 0x0110, "answers": 0x0120,
               "destination": 0x0600, "priority": 0x0700, "data_set": 0x0800, "status": 0x0900,
               "affected_instance": 0x1000, "requested_instance": 0x1001, "action": 0x1008}
    elements = {0x0100: struct.pack("<H", field)}
    for name, value in more.items():
        elements[numbers[name]] = struct.pack("<H", value) if isinstance(value, int) else value
    body = b"".join(element(0, number, value) for number, value in sorted(elements.items()))
    return element(0, 0, struct.pack("<I", len(body))) + body


def p_data(context, value, is_command, is_last=True):
    return pdu(4, struct.pack(">IBB", len(value) + 2, context, is_command | is_last << 1) + value)


def elements(data):
    """{(group, element): value} of Implicit VR Little Endian without sequences."""
    found, at = {}, 0
    while at + 8 <= len(data):
        group, number, length = struct.unpack_from("<HHI", data, at)
        found[group, number] = data[at + 8 : at + 8 + length]
        at += 8 + length
    return found


class Connection:
    """PDUs over a socket, which is of TLS where the caller made it so."""

    def __init__(self, connection, timeout=90):
        self.socket = connection
        self.socket.settimeout(timeout)
        self.buffer = bytearray()

    def send(self, data):
        self.socket.sendall(data)

    def fill(self, count):
        while len(self.buffer) < count:
            more = self.socket.recv(1 << 18)
            if not more:
                raise ConnectionError("closed")
            self.buffer += more

    def take(self, count):
        self.fill(count)
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def pdu(self):
        """(kind, body)."""
        kind, _, length = struct.unpack(">BBI", self.take(6))
        return kind, self.take(length)

    def message(self):
        """(context, command elements, data set or None) of the next message."""
        context, parts, commands = None, {True: bytearray(), False: bytearray()}, None
        while True:
            kind, body = self.pdu()
            if kind != 4:
                raise ConnectionError(f"PDU {kind}")
            at = 0
            while at < len(body):
                length, context, control = struct.unpack_from(">IBB", body, at)
                parts[bool(control & 1)] += body[at + 6 : at + 4 + length]
                at += 4 + length
                if not control & 2:
                    continue
                if control & 1:
                    commands = elements(bytes(parts[True]))
                    if commands[0, 0x0800] == b"\x01\x01":
                        return context, commands, None
                else:
                    return context, commands, bytes(parts[False])

    def close(self):
        self.socket.close()


def connect(door, timeout=90):
    """A connection to a door of the server."""
    made = socket.create_connection((door.dimse["host"], door.dimse["port"]), timeout)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if door.dimse["tls"]:
        made = door.server.tls_context().wrap_socket(made, server_hostname="localhost")
    return Connection(made, timeout)


def associate(door, calling, contexts, timeout=90, **more):
    """An association, or ConnectionError with the kind of PDU that came instead."""
    made = connect(door, timeout)
    made.send(associate_rq(door.dimse["ae"], calling, contexts, **more))
    kind, body = made.pdu()
    if kind != 2:
        made.close()
        raise ConnectionError(f"PDU {kind}: {body.hex()}")
    made.accepted = accepted(body)
    return made


RELEASE_RQ, RELEASE_RP, ABORT = pdu(5, bytes(4)), pdu(6, bytes(4)), pdu(7, bytes(4))
