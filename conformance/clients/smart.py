"""SMART backend services: keys, client assertions (RFC 7523, SMART 2.2 asymmetric) and tokens, with PyJWT."""

import base64
import json
import pathlib
import time
import uuid

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def b64(number, length):
    return base64.urlsafe_b64encode(number.to_bytes(length, "big")).rstrip(b"=").decode()


class Key:
    """A private key with its public JWK; `alg` is RS384 or ES384."""

    def __init__(self, alg, kid=None):
        self.alg = alg
        self.kid = kid or f"{alg.lower()}-{uuid.uuid4().hex[:8]}"
        if alg == "RS384":
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.private = ec.generate_private_key(ec.SECP384R1())

    def jwk(self):
        base = {"kid": self.kid, "alg": self.alg, "use": "sig", "key_ops": ["verify"]}
        numbers = self.private.public_key().public_numbers()
        if self.alg == "RS384":
            return {**base, "kty": "RSA", "n": b64(numbers.n, 256), "e": b64(numbers.e, 3)}
        return {**base, "kty": "EC", "crv": "P-384", "x": b64(numbers.x, 48), "y": b64(numbers.y, 48)}

    def private_jwk(self):
        numbers = self.private.private_numbers()
        jwk = {**self.jwk(), "key_ops": ["sign"]}
        if self.alg == "RS384":
            for name, value in (("d", numbers.d), ("p", numbers.p), ("q", numbers.q), ("dp", numbers.dmp1),
                                ("dq", numbers.dmq1), ("qi", numbers.iqmp)):
                jwk[name] = b64(value, (value.bit_length() + 7) // 8)
        else:
            jwk["d"] = b64(numbers.private_value, 48)
        return jwk

    def pem(self):
        return self.private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write_jwks(path, keys):
    pathlib.Path(path).write_text(json.dumps({"keys": [key.jwk() for key in keys]}))
    return path


def claims(client_id, token_url, **changes):
    now = int(time.time())
    base = {"iss": client_id, "sub": client_id, "aud": token_url, "exp": now + 240, "iat": now,
            "jti": uuid.uuid4().hex}
    base.update(changes)
    return {name: value for name, value in base.items() if value is not None}


def assertion(key, client_id, token_url, headers=None, **changes):
    return jwt.encode(claims(client_id, token_url, **changes), key.pem(), algorithm=key.alg,
                      headers={"kid": key.kid, "typ": "JWT", **(headers or {})})


def post_token(token_url, signed, scope, verify, **changes):
    body = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": signed}
    body.update(changes)
    return requests.post(token_url, data={k: v for k, v in body.items() if v is not None}, verify=verify, timeout=90)


class BackendClient:
    """A registered client that keeps a fresh token."""

    def __init__(self, server, name, alg, scope, folder):
        self.server = server
        self.key = Key(alg)
        self.scope = scope
        self.id = server.register_client(
            name, write_jwks(pathlib.Path(folder) / f"{name}.jwks.json", [self.key]), scope)
        self.fetched = 0.0
        self.token = None
        self.lifetime = 0

    @property
    def token_url(self):
        return self.server.http + "/oauth/token"

    def bearer(self):
        if self.token is None or time.time() > self.fetched + self.lifetime / 2:
            answer = post_token(
                self.token_url, assertion(self.key, self.id, self.token_url), self.scope, self.server.verify)
            answer.raise_for_status()
            self.token = answer.json()["access_token"]
            self.lifetime = answer.json().get("expires_in", 300)
            self.fetched = time.time()
        return self.token

    def session(self):
        session = requests.Session()
        session.verify = self.server.verify
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {self.bearer()}"
        return session
