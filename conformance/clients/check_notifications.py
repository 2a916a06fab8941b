"""Notifications of workitems over WebSockets by websocket-client, in clear and by TLS. PS3.18 §8.10, §11.13."""

import json
import ssl
from urllib.parse import urlsplit

import websocket
from pydicom.uid import generate_uid

import check_ups
from report import equal, expect

CLAUSE = "PS3.18 §8.10"


class Listener:
    """A connection of a subscriber."""

    def __init__(self, server, url, token=None, by_protocol=False, origin=None):
        options = {"timeout": 90, "suppress_origin": origin is None}
        if origin:
            options["origin"] = origin
        if by_protocol:
            options["subprotocols"] = ["dicomweb.events", f"bearer.{token}"]
        elif token:
            options["header"] = [f"Authorization: Bearer {token}"]
        if url.startswith("wss:"):
            options["sslopt"] = {"ca_certs": server.verify} if isinstance(server.verify, str) else {
                "cert_reqs": ssl.CERT_REQUIRED}
        self.socket = websocket.create_connection(url, **options)

    def report(self):
        return json.loads(self.socket.recv())

    def state(self, uid):
        """The next report of a workitem: its type and state."""
        while True:
            report = self.report()
            if report["00001000"]["Value"] == [uid]:
                return report["00001002"]["Value"][0], report.get("00741000", {}).get("Value", [None])[0]

    def closed(self):
        """The code with which the server closes it."""
        while True:
            frame = self.socket.recv_frame()
            if frame.opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(frame.data[:2], "big")

    def leave(self):
        self.socket.close()


def refused(server, url, **options):
    """The status of a handshake that is refused."""
    try:
        Listener(server, url, **options).leave()
    except websocket.WebSocketBadStatusException as error:
        return error.status_code
    return None


def check(report, server, backend):
    session = backend.session()
    base = server.dicomweb + "/workitems"
    web = urlsplit(server.dicomweb)
    how = "TLS" if web.scheme == "https" else "clear"

    def subscribe(title, uid=check_ups.ALL):
        answer = session.post(f"{base}/{uid}/subscribers/{title}", timeout=30)
        equal(answer.status_code, 201, "status of the subscription")
        return answer.headers["Content-Location"]

    def create(uid):
        body = f"[{check_ups.workitem('NOTIFIED').to_json()}]"
        equal(session.post(f"{base}?{uid}", data=body, headers=check_ups.JSON, timeout=30).status_code, 201, "creation")

    def told():
        uid, transaction = generate_uid(), generate_uid()
        url = subscribe("PAGE1")
        equal(urlsplit(url).scheme, "wss" if how == "TLS" else "ws", "scheme of the connection")
        listener = Listener(server, url, backend.bearer())
        try:
            create(uid)
            equal(listener.state(uid), (1, "SCHEDULED"), "report of the creation")
            body = f"[{check_ups.change('IN PROGRESS', transaction).to_json()}]"
            answer = session.put(f"{base}/{uid}/state", data=body, headers=check_ups.JSON, timeout=30)
            equal(answer.status_code, 200, "claim")
            # Creation may have told of the assignment in between.
            kind, state = listener.state(uid)
            if kind == 5:
                kind, state = listener.state(uid)
            equal((kind, state), (1, "IN PROGRESS"), "report of the claim")
            listener.socket.ping("there?")
            frame = listener.socket.recv_frame()
            while frame.opcode != websocket.ABNF.OPCODE_PONG:
                frame = listener.socket.recv_frame()
            equal(frame.data, b"there?", "pong")
        finally:
            listener.leave()
        equal(session.delete(f"{base}/{check_ups.ALL}/subscribers/PAGE1", timeout=30).status_code, 200, "end")

    report.check("websocket-client", f"a subscriber is told over its connection by {how}, in order", told, CLAUSE)

    def first():
        uid = generate_uid()
        create(uid)
        # The report on the subscription waits for the connection that follows it.
        listener = Listener(server, subscribe("PAGE2", uid), backend.bearer())
        equal(listener.state(uid), (1, "SCHEDULED"), "report on the subscription")
        listener.leave()

    report.check("websocket-client", "what is told on subscribing waits for the connection", first, CLAUSE)

    def handshakes():
        url = subscribe("PAGE3")
        equal(refused(server, url), 401, "without a token")
        equal(refused(server, url, token="x"), 401, "with a wrong one")
        equal(refused(server, url, token=backend.bearer(), by_protocol=True, origin="https://evil.example"), 403,
              "a page of elsewhere")
        equal(session.get(url.replace("ws", "http", 1), timeout=30).status_code, 426, "a plain GET")
        own = f"{web.scheme}://{web.netloc}"
        page = Listener(server, url, backend.bearer(), by_protocol=True, origin=own)
        equal(page.socket.getsubprotocol(), "dicomweb.events", "subprotocol")
        page.leave()
        listener = Listener(server, url, backend.bearer())
        listener.socket.send("a message")
        equal(listener.closed(), 1003, "code after a message")
        equal(session.delete(f"{base}/{check_ups.ALL}/subscribers/PAGE3", timeout=30).status_code, 200, "end")

    report.check("websocket-client", "tokens and origins are looked at, and a message is 1003", handshakes, CLAUSE)

    def still_serving():
        expect(session.get(f"{base}?limit=1", headers=check_ups.JSON, timeout=30).status_code == 200, "no answer")

    report.check("http", "the server goes on beside its connections", still_serving, CLAUSE)
