"""The viewer in a frame of another system's page: of a configured origin, and of one that is not."""

import http.server
import threading
from urllib.parse import urlsplit

from selenium.webdriver.common.by import By

import own_certificate
from report import equal, expect


class Page(http.server.BaseHTTPRequestHandler):
    """A page of an EHR: a frame with the address behind `?`."""

    def do_GET(self):
        address = urlsplit(self.path).query
        body = f'<!DOCTYPE html><title>EHR</title><iframe width="1200" height="800" src="{address}"></iframe>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Systems:
    """Two systems with pages of their own by TLS; the first is let hold the viewer."""

    def __init__(self, folder):
        key, certificate, _ = own_certificate.make(folder, "ehr")
        context = own_certificate.server_context(key, certificate)
        self.servers = []
        for _ in range(2):
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.servers.append(server)

    def configure(self, server):
        """Before the server starts. What it is called by, loopback by number or by name, is known only then."""
        port = self.servers[0].server_address[1]
        origins = ", ".join(f'"https://{host}:{port}"' for host in ("localhost", "127.0.0.1"))
        with open(server.folder / "hilum.yaml", "a") as file:
            file.write(f"viewer: {{ frame-origins: [{origins}] }}\n")

    def address(self, number, server):
        """Of a page with the viewer, on the viewer's own host: cookies of the sign-in go to frames of one site alone."""
        host = urlsplit(server.http).hostname
        return f"https://{host}:{self.servers[number].server_address[1]}/?{server.http}/viewer"

    def places(self, server):
        """Host and port of both, as addresses name them."""
        return {urlsplit(self.address(number, server)).netloc for number in range(2)}

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def checks(driver, server, page, systems):
    """(name, work, clause) of each; somebody is signed in."""

    def held():
        driver.get(systems.address(0, server))
        driver.switch_to.frame(page.find("iframe"))
        try:
            page.shows("image 1 of 48")
            equal(len(driver.find_elements(By.CSS_SELECTOR, ".pane")), 1, "panes")
        finally:
            driver.switch_to.default_content()
        page.shot("13-in-a-frame")

    def refused():
        driver.get_log("browser")
        driver.get(systems.address(1, server))
        said = []

        def told():
            said.extend(entry["message"] for entry in driver.get_log("browser"))
            return [text for text in said if "frame-ancestors" in text]

        page.wait(told, "that the page may not hold it")
        expect(all("frame-ancestors" in text or "favicon" in text for text in said), said[:3])

    return [
        ("in a frame of a configured origin", held, "CSP Level 3 §6.4.2"),
        ("in no frame of another", refused, "CSP Level 3 §6.4.2"),
    ]
