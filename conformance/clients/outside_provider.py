"""An OpenID provider beside Hilum: PyPI's oidc-provider-mock (Authlib and Flask) over TLS on loopback, which can be made
to answer as a hostile or broken one would."""

import base64
import hashlib
import json
import logging
import threading
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import flask
import jwt
import oidc_provider_mock
import requests
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from werkzeug.serving import make_server

import own_certificate

logging.getLogger("werkzeug").setLevel(logging.ERROR)
logging.getLogger("oidc_provider_mock").setLevel(logging.CRITICAL)


class Provider:
    """`alter` gets the body of the next answer of the token endpoint, and gives what is sent instead."""

    def __init__(self, folder, name, users):
        self.key_path, self.certificate, _ = own_certificate.make(folder, name)
        self.alter, self.keys, self.is_down = None, None, False
        self.challenges, self.asked, self.active = {}, [], {}
        # Published beside the library's own, each under the name of its algorithm.
        self.more = {"PS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
                     "EdDSA": ed25519.Ed25519PrivateKey.generate()}
        self.app = oidc_provider_mock.app(
            require_nonce=True, user_claims=[oidc_provider_mock.User(sub=sub, claims=claims) for sub, claims in users])
        self.app.debug = False
        self.app.before_request(self.before)
        self.app.after_request(self.after)
        self.app.add_url_rule("/introspect", "introspect", self.introspect, methods=["POST"])
        self.server = self.serve(0)
        self.port = self.server.server_port
        self.issuer = f"https://localhost:{self.port}"
        # Made with the first request that needs it.
        requests.get(self.issuer + "/jwks", verify=str(self.certificate), timeout=30).raise_for_status()

    def serve(self, port):
        server = make_server("127.0.0.1", port, self.app, threaded=True,
                             ssl_context=(str(self.certificate), str(self.key_path)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def start_again(self):
        self.server = self.serve(self.port)

    # What the library's provider does not do, or not wrongly enough

    def before(self):
        path = flask.request.path
        if self.is_down:
            flask.abort(503)
        self.asked.append(path)
        self.key = flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True)
        if path == "/oauth2/token":
            fields = flask.request.form
            proof = base64.urlsafe_b64encode(hashlib.sha256(fields.get("code_verifier", "").encode()).digest())
            if proof.rstrip(b"=").decode() != self.challenges.get(fields.get("code")):
                flask.abort(400)

    def after(self, answer):
        path = flask.request.path
        if path == "/oauth2/authorize" and "Location" in answer.headers:
            code = parse_qs(urlsplit(answer.headers["Location"]).query).get("code", [None])[0]
            self.challenges[code] = flask.request.args.get("code_challenge")
        if path in ("/jwks", "/.well-known/openid-configuration"):
            answer.headers["Cache-Control"] = "no-store"
        if path == "/jwks" and answer.status_code == 200:
            keys = answer.get_json()["keys"] + self.more_keys() if self.keys is None else self.keys
            answer.set_data(flask.json.dumps({"keys": keys}))
        if path == "/oauth2/token" and self.alter is not None and answer.status_code == 200:
            alter, self.alter = self.alter, None
            answer.set_data(flask.json.dumps(alter(answer.get_json())))
        return answer

    def more_keys(self):
        writers = {"PS256": jwt.algorithms.RSAAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm}
        return [{**json.loads(writers[alg].to_jwk(key.public_key())), "kid": alg, "alg": alg, "use": "sig",
                 "key_ops": ["verify"]} for alg, key in self.more.items()]

    def introspect(self):
        """RFC 7662 for `active` tokens, to the one client that proves itself."""
        given = flask.request.authorization
        if given is None or (given.username, given.password) != ("hilum", "introspection-secret"):
            return flask.jsonify({"error": "invalid_client"}), 401
        found = self.active.get(flask.request.form.get("token"))
        return flask.jsonify({"active": True, **found} if found else {"active": False})

    # What a person does there

    def sign_in(self, url, sub):
        """Signs in at the provider's page; where it sends the browser."""
        page = requests.get(url, verify=str(self.certificate), timeout=30)
        page.raise_for_status()
        data = {"sub": sub} if sub else {"action": "deny"}
        answer = requests.post(url, data=data, verify=str(self.certificate), allow_redirects=False, timeout=30)
        return answer.headers["Location"]

    # Tokens by its key

    @property
    def private(self):
        return jwt.PyJWK(self.key, algorithm="RS256").key

    @property
    def kid(self):
        return self.key.get("kid")

    def changed(self, header=None, key=None, alg="RS256", **changes):
        """An `alter` that signs the id_token anew with some claims changed; None leaves one out."""
        def alter(body):
            claims = jwt.decode(body["id_token"], options={"verify_signature": False})
            claims.update(changes)
            claims = {name: value for name, value in claims.items() if value is not None}
            return {**body, "id_token": self.signed(claims, header, key, alg)}
        return alter

    def signed(self, claims, header=None, key=None, alg="RS256"):
        head = {"kid": self.kid, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(claims, self.private if key is None else key, algorithm=alg, headers=head)

    def access_token(self, audience, header=None, key=None, alg="RS256", **changes):
        """RFC 9068."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": audience, "sub": "anna-there", "client_id": "ehr-viewer",
                  "jti": uuid.uuid4().hex, "iat": now, "exp": now + 300, "scope": "openid patient/*.rs", **changes}
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.signed(claims, {"typ": "at+jwt", **(header or {})}, key, alg)
