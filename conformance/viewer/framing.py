"""The viewer in a frame of another system's page: of a configured origin, and of one that is not."""

import http.server
import threading
from urllib.parse import urlsplit

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import check_signin
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

    def address(self, number, server, is_of_another_site=False, viewer=None):
        """Of a page with the viewer: on the viewer's own host, so that cookies of the sign-in go to the frame, or on
        another, which is another site, so that none does (HTML 7.1.1). `viewer` is the address by which an EHR launches
        it."""
        host = urlsplit(server.http).hostname
        if is_of_another_site:
            host = "localhost" if host == "127.0.0.1" else "127.0.0.1"
        return f"https://{host}:{self.servers[number].server_address[1]}/?{viewer or server.http + '/viewer'}"

    def places(self, server):
        """Host and port of all, as addresses name them."""
        return {urlsplit(self.address(number, server, is_of_another_site)).netloc
                for number in range(2) for is_of_another_site in (False, True)}

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()


def checks(driver, server, page, systems, backend, patient):
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

    def open_from_another_site(viewer=None):
        """The frame of a page of another site, before anybody has pressed its button."""
        driver.get(systems.address(0, server, is_of_another_site=True, viewer=viewer))
        driver.switch_to.frame(page.find("iframe"))
        page.wait(lambda: any(one.is_displayed() for one in page.all("#sign-in")), "the button in the frame")
        expect("/account/" not in driver.execute_script("return location.href"), "the sign-in is in the frame")

    def back(mine):
        """In the frame again, from wherever the browser is looked at."""
        driver.switch_to.window(mine)
        driver.switch_to.default_content()
        driver.switch_to.frame(page.find("iframe"))

    def shown(mine, windows):
        """Until the frame shows an image and the window of the sign-in is gone."""
        back(mine)
        page.shows("image 1 of 48")
        page.wait(lambda: len(driver.window_handles) == windows, "no window of the sign-in any more")
        kept = driver.execute_script("return JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        expect("eyJ" not in kept and "token" not in kept and "verifier" not in kept, kept)
        equal(urlsplit(driver.execute_script("return location.href")).query, "", "the address of the frame")

    def of_another_site():
        """By the session that the browser has: its cookie goes to the window, and to no frame of another site."""
        mine, windows = driver.current_window_handle, len(driver.window_handles)
        try:
            open_from_another_site()
            page.shot("13-button-in-a-frame")
            page.click("#sign-in")
            shown(mine, windows)
            page.shot("13-in-a-frame-of-another-site")
        finally:
            driver.switch_to.window(mine)
            driver.switch_to.default_content()

    def launched_there():
        """By an EHR: the handle is still good after the frame has asked without a page, and is not left in the address."""
        made = backend.session().post(server.http + "/ops/launches", timeout=60, json={
            "client_id": "hilum-viewer", "patient": patient})
        equal(made.status_code, 201, made.text[:300])
        mine, windows = driver.current_window_handle, len(driver.window_handles)
        try:
            open_from_another_site(made.json()["url"])
            expect("launch=" in driver.execute_script("return location.href"), "a frame that is loaded anew has no launch")
            page.click("#sign-in")
            shown(mine, windows)
        finally:
            driver.switch_to.window(mine)
            driver.switch_to.default_content()

    def signed_in_there():
        """Nobody is signed in: the sign-in is in the window, and is done again after that was closed before its time."""
        driver.get(server.http + "/account/sign-in")
        driver.delete_all_cookies()
        mine, known = driver.current_window_handle, set(driver.window_handles)

        def opened():
            """The window of the sign-in, once it shows its page."""
            page.click("#sign-in")
            other = page.wait(lambda: next(iter(set(driver.window_handles) - known), None), "a window of the sign-in")
            driver.switch_to.window(other)
            page.at("/account/sign-in")

        try:
            open_from_another_site()
            opened()
            driver.close()
            back(mine)
            opened()
            page.shot("13-window-of-the-sign-in")
            page.find("#name").send_keys("ada")
            try:
                page.find("#password").send_keys(check_signin.PASSWORD, Keys.ENTER)
            except WebDriverException:
                pass  # it is done, and gone, before the browser answers
            shown(mine, len(known))
        finally:
            for left in set(driver.window_handles) - known:
                driver.switch_to.window(left)
                driver.close()
            driver.switch_to.window(mine)
            driver.switch_to.default_content()

    def refused(is_of_another_site):
        driver.get_log("browser")
        driver.get(systems.address(1, server, is_of_another_site))
        said = []

        def told():
            said.extend(entry["message"] for entry in driver.get_log("browser"))
            return [text for text in said if "frame-ancestors" in text]

        page.wait(told, "that the page may not hold it")
        expect(all("frame-ancestors" in text or "favicon" in text for text in said), said[:3])

    return [
        ("in a frame of a configured origin", held, "CSP Level 3 §6.4.2"),
        ("in a frame of another site, by a window", of_another_site, "SMART 2.2 app-launch"),
        ("launched by an EHR in a frame of another site", launched_there, "SMART 2.2 app-launch"),
        ("signed in by a window for a frame of another site", signed_in_there, "SMART 2.2 app-launch"),
        ("in no frame of another", lambda: refused(False), "CSP Level 3 §6.4.2"),
        ("in no frame of another on another site", lambda: refused(True), "CSP Level 3 §6.4.2"),
    ]
