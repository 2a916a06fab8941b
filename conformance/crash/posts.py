"""A web server over TLS that is told things by POST and PUT, by a server that is killed while it tells them: what did not come
whole did not come, and is not answered."""

import http.server
import threading


class Posts:
    """`take(headers, body)` gives the content type and the body of the answer, or None where a request is not whole."""

    def __init__(self, context, take):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                answer = take(self.headers, body) if len(body) == length else None
                if answer is None:
                    self.close_connection = True
                    return
                kind, content = answer
                self.send_response(200)
                if kind:
                    self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_PUT = do_POST

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    self.close_connection = True

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
