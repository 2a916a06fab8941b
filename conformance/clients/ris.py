"""Receivers of HL7 messages that others wrote, or that misbehave: the RIS and EHR that Hilum sends to.

`Receiver` is python-hl7's MLLP server; it keeps what came and answers as its script says. `RawReceiver` is a bare
socket that answers with whatever bytes, when it likes or never.
"""

import asyncio
import datetime
import ipaddress
import pathlib
import socket
import ssl
import threading
import time

import hl7
import hl7.mllp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from report import expect

MESSAGE_BYTES_MAX = 8 << 20


class Arrival:
    """A message as it came: its bytes, python-hl7's reading of them, when, and on which connection."""

    def __init__(self, text, connection):
        self.text, self.connection = text, connection
        self.message = hl7.parse(text)
        self.time = time.monotonic()

    @property
    def control(self):
        return self.at("MSH", 10)

    @property
    def kind(self):
        return "^".join(self.at("MSH", 9).split("^")[:2])

    def segments(self, name):
        return [segment for segment in self.message if str(segment[0]) == name]

    def at(self, name, field, index=0):
        """A field as it stands on the wire; empty where there is none."""
        found = self.segments(name)
        if index >= len(found) or field >= len(found[index]):
            return ""
        return str(found[index][field])

    def part(self, name, field, component, index=0):
        """A component of the first repetition, its escapes taken back by python-hl7."""
        parts = self.at(name, field, index).split("~")[0].split("^")
        return self.message.unescape(parts[component - 1]) if component <= len(parts) else ""


def answer(arrival, code="AA", more=(), kind=None):
    """An acknowledgment of a message; `more` are the segments after MSA."""
    kind = kind or f"ACK^{arrival.kind.split('^')[1]}^ACK"
    msh = arrival.message.segment("MSH")
    header = f"MSH|^~\\&|{msh[5]}|{msh[6]}|{msh[3]}|{msh[4]}|20260101120000||{kind}|A{arrival.control}|P|{msh[12]}"
    return "\r".join([header, f"MSA|{code}|{arrival.control}", *more, ""])


class Receiver:
    """python-hl7's MLLP server in a thread of its own. `script` makes the answers of a message: a list of texts to
    send, seconds to wait, or None to close."""

    def __init__(self, script=None, tls=None, port=0):
        self.script = script or (lambda arrival: [answer(arrival)])
        self.tls, self.port = tls, port
        self.arrivals, self.peers = [], []
        self.changed = threading.Condition()
        self.loop = None
        self.start()

    def start(self):
        """Listens, on the same port as before when it was stopped."""
        self.loop = asyncio.new_event_loop()
        self.writers = set()
        ready = threading.Event()

        async def serve():
            self.server = await hl7.mllp.start_hl7_server(
                self.connected, "127.0.0.1", self.port, limit=MESSAGE_BYTES_MAX, encoding="utf-8", ssl=self.tls)
            self.port = self.server.sockets[0].getsockname()[1]
            ready.set()

        def run():
            asyncio.set_event_loop(self.loop)
            self.loop.create_task(serve())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        expect(ready.wait(60), "the receiver does not listen")

    async def connected(self, reader, writer):
        self.writers.add(writer)
        number = len(self.peers)
        self.peers.append(writer.get_extra_info("peercert"))
        try:
            while not writer.is_closing():
                text = str(await reader.readmessage())
                arrival = Arrival(text, number)
                steps = self.script(arrival)
                with self.changed:
                    self.arrivals.append(arrival)
                    self.changed.notify_all()
                for step in steps:
                    if step is None:
                        writer.close()
                    elif isinstance(step, (int, float)):
                        await asyncio.sleep(step)
                    else:
                        writer.writemessage(hl7.parse(step))
                        await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()

    def stop(self):
        """Ends the listener and its connections; the port is free."""
        async def end():
            self.server.close()
            for writer in list(self.writers):
                writer.transport.abort()
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(60)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(60)

    def wait(self, wanted, what, timeout=90):
        """The first message that `wanted` holds for."""
        found = self.wait_all(lambda arrivals: next(([a] for a in arrivals if wanted(a)), None), what, timeout)
        return found[0]

    def wait_all(self, choose, what, timeout=90):
        """What `choose` makes of all messages that came, once it is not None."""
        until = time.monotonic() + timeout
        with self.changed:
            while True:
                found = choose(list(self.arrivals))
                if found is not None:
                    return found
                left = until - time.monotonic()
                kinds = [f"{a.kind} {a.at('ORC', 1)}".strip() for a in self.arrivals[-12:]]
                expect(left > 0, f"{what} did not come within {timeout} s; there came {kinds}")
                self.changed.wait(left)


class RawReceiver:
    """A listener that hands each connection to a script of its own: `script(connection, number)` in a thread."""

    def __init__(self, script):
        self.script = script
        self.count = 0
        self.controls = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(60)
            number = self.count
            self.count += 1
            threading.Thread(target=self.serve, args=(connection, number), daemon=True).start()

    def serve(self, connection, number):
        try:
            self.script(self, connection, number)
        except OSError:
            pass
        finally:
            connection.close()

    def read(self, connection):
        """The next message; None at the end of the connection."""
        received = b""
        while not received.endswith(b"\x1c\r"):
            more = connection.recv(65536)
            if not more:
                return None
            received += more
        arrival = Arrival(received[1:-2].decode(), id(connection))
        self.controls.append(arrival.control)
        return arrival

    @staticmethod
    def write(connection, text):
        connection.sendall(b"\x0b" + text.encode() + b"\x1c\r")

    def stop(self):
        self.socket.close()


def server_context(server, folder, asks=True):
    """TLS of a receiver: a certificate for localhost that the server folder's authority signed; with `asks`, clients must
    show one of the same."""
    authority = x509.load_pem_x509_certificate(pathlib.Path(server.ca).read_bytes())
    signer = serialization.load_pem_private_key((server.folder / "keys" / "ca.key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]))
        .issuer_name(authority.subject).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(signer, hashes.SHA256()))
    path = pathlib.Path(folder) / "receiver.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    if asks:
        context.load_verify_locations(server.ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
