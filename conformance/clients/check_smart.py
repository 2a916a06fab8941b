"""SMART backend services: discovery, tokens by PyJWT and by libjwt, and what must be refused."""

import base64
import json
import time
import uuid

import jwt
import requests
from cryptography.hazmat.primitives import serialization

import libjwt
import smart
from report import equal, expect

CLAUSE = "SMART 2.2 backend-services"


def check(report, server, folder):
    verify = server.verify
    token_url = server.http + "/oauth/token"

    def discovery():
        answer = requests.get(server.fhir + "/.well-known/smart-configuration", verify=verify, timeout=30)
        equal(answer.status_code, 200, "status")
        expect(answer.headers["Content-Type"].startswith("application/json"), answer.headers["Content-Type"])
        document = answer.json()
        equal(document["token_endpoint"], token_url, "token_endpoint")
        expect("client-confidential-asymmetric" in document["capabilities"], "capabilities")
        expect("private_key_jwt" in document["token_endpoint_auth_methods_supported"], "auth methods")
        expect({"RS384", "ES384"} <= set(document["token_endpoint_auth_signing_alg_values_supported"]), "algorithms")
        expect("client_credentials" in document["grant_types_supported"], "grant types")

    report.check("smart", "discovery document without a token", discovery, "SMART 2.2 conformance")

    keys = {alg: smart.Key(alg) for alg in ("RS384", "ES384")}
    scope = "system/*.rs"
    ids = {}
    for alg, key in keys.items():
        path = smart.write_jwks(f"{folder}/{alg}.jwks.json", [key])
        ids[alg] = server.register_client(f"reader-{alg}", path, scope)

    tokens = []

    def granted(answer, wanted_scope=None):
        equal(answer.status_code, 200, f"status ({answer.text[:200]})")
        body = answer.json()
        equal(body["token_type"].lower(), "bearer", "token_type")
        expect(0 < body["expires_in"] <= 3600, f"expires_in {body['expires_in']}")
        expect("no-store" in answer.headers.get("Cache-Control", ""), "Cache-Control: no-store")
        expect("refresh_token" not in body, "a refresh token for a backend service")
        if wanted_scope:
            equal(set(body["scope"].split()), set(wanted_scope.split()), "scope")
        tokens.append(body["access_token"])
        return body

    for alg, key in keys.items():
        report.check("smart", f"token with {alg} signed by PyJWT", lambda alg=alg, key=key: granted(
            smart.post_token(token_url, smart.assertion(key, ids[alg], token_url), scope, verify), scope) and None, CLAUSE)
        report.check("smart", f"token with {alg} signed by libjwt", lambda alg=alg, key=key: granted(
            smart.post_token(
                token_url, libjwt.sign(smart.claims(ids[alg], token_url), alg, key.pem(), key.kid), scope, verify),
            scope) and None, CLAUSE)

    def use():
        answer = requests.get(server.fhir + "/Patient", headers={"Authorization": f"Bearer {tokens[-1]}"}, verify=verify,
                              timeout=30)
        equal(answer.status_code, 200, "search with the token")

    report.check("smart", "the token opens FHIR", use, "RFC 6750 §2.1")

    def token_verified_outside():
        token = tokens[-1]
        if token.count(".") != 2:
            return "opaque token, nothing to verify"
        header = jwt.get_unverified_header(token)
        document = requests.get(server.fhir + "/.well-known/smart-configuration", verify=verify, timeout=30).json()
        jwks = requests.get(document["jwks_uri"], verify=verify, timeout=30).json()
        entry = next(k for k in jwks["keys"] if k.get("kid") == header.get("kid"))
        expect("d" not in entry, "the JWKS holds a private key")
        pem = jwt.PyJWK(entry).key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        readers = {
            "libjwt": lambda text: libjwt.verify(text, header["alg"], pem),
            "PyJWT": lambda text: jwt.decode(text, pem, algorithms=[header["alg"]], options={"verify_aud": False}),
        }
        signed, signature = token.rsplit(".", 1)
        flipped = signed + "." + ("A" if signature[0] != "A" else "B") + signature[1:]
        for name, read in readers.items():
            expect(read(token)["exp"] > time.time(), f"exp, by {name}")
            try:
                read(flipped)
            except (libjwt.LibJWTError, jwt.InvalidTokenError):
                continue
            raise AssertionError(f"{name} accepts another signature")
        return f"{header['alg']}, typ {header.get('typ')}, by {' and '.join(readers)}"

    report.check("smart", "the access token verifies with the published key, by another implementation", token_verified_outside, "RFC 7515 §5.2")

    # Refusals

    key, client = keys["ES384"], ids["ES384"]

    def refused(signed, error, status=(400, 401), **changes):
        answer = smart.post_token(token_url, signed, changes.pop("scope", scope), verify, **changes)
        expect(answer.status_code in status, f"status {answer.status_code}: {answer.text[:160]}")
        expect(answer.json().get("error") in error, f"error {answer.json().get('error')}, not {error}")

    now = int(time.time())
    good = lambda **c: smart.assertion(key, client, token_url, **c)  # noqa: E731
    hmac = jwt.encode(smart.claims(client, token_url), "x" * 48, algorithm="HS384", headers={"kid": key.kid})
    body = base64.urlsafe_b64encode(json.dumps(smart.claims(client, token_url)).encode()).rstrip(b"=").decode()
    head = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": key.kid}).encode()).rstrip(b"=").decode()
    invalid = ("invalid_client",)
    grant = ("invalid_client", "invalid_grant", "invalid_request")
    replayed = good()
    cases = [
        ("expired assertion", lambda: refused(good(exp=now - 120), invalid)),
        ("exp more than five minutes ahead", lambda: refused(good(exp=now + 3600), invalid)),
        ("another audience", lambda: refused(good(aud="https://elsewhere.example/token"), invalid)),
        ("iss and sub differ", lambda: refused(good(sub="someone-else"), invalid)),
        ("no jti", lambda: refused(good(jti=None), invalid)),
        ("no exp", lambda: refused(good(exp=None), invalid)),
        ("unknown client", lambda: refused(smart.assertion(key, "nobody", token_url), invalid)),
        ("another client's key", lambda: refused(smart.assertion(keys["RS384"], client, token_url), invalid)),
        ("unknown kid", lambda: refused(good(headers={"kid": "nope"}), invalid)),
        ("alg none", lambda: refused(f"{head}.{body}.", invalid)),
        ("alg HS384", lambda: refused(hmac, invalid)),
        ("not a JWT", lambda: refused("abc", grant)),
        ("no assertion", lambda: refused(None, grant)),
        ("another grant type", lambda: refused(good(), ("unsupported_grant_type",), grant_type="password")),
    ]
    for name, case in cases:
        report.check("smart", f"refused: {name}", case, "RFC 7523 §3, RFC 6749 §5.2")

    def replay():
        equal(smart.post_token(token_url, replayed, scope, verify).status_code, 200, "first use")
        refused(replayed, invalid)

    report.check("smart", "refused: the same jti twice", replay, "SMART 2.2 asymmetric §jti")

    def beyond():
        answer = smart.post_token(token_url, good(), "system/*.cruds", verify)
        if answer.status_code == 400:
            equal(answer.json()["error"], "invalid_scope", "error")
            return "refused with invalid_scope"
        granted = set(answer.json()["scope"].split())
        expect(granted <= {"system/*.rs", "system/*.r", "system/*.s"}, f"granted {granted}")
        return f"granted only {' '.join(sorted(granted))}"

    report.check("smart", "a scope beyond the registered is not granted", beyond, "RFC 6749 §3.3")

    def narrowed():
        granted(smart.post_token(token_url, good(), "system/Patient.rs", verify), "system/Patient.rs")
        session = requests.Session()
        session.verify = verify
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {tokens[-1]}"
        equal(session.get(server.fhir + "/Patient", timeout=30).status_code, 200, "in scope")
        equal(session.get(server.fhir + "/Observation", timeout=30).status_code, 403, "type out of scope")
        write = session.post(server.fhir + "/Patient", json={"resourceType": "Patient"},
                             headers={"Content-Type": "application/fhir+json"}, timeout=30)
        equal(write.status_code, 403, "write out of scope")

    report.check("smart", "a narrower scope is granted and holds", narrowed, "SMART 2.2 scopes")

    def not_a_token():
        for value in (None, "Bearer ", f"Bearer {uuid.uuid4().hex}", "Basic eDp5", f"Bearer {tokens[-1]}x"):
            answer = requests.get(server.fhir + "/Patient", verify=verify, timeout=30,
                                  headers={"Authorization": value} if value else {})
            equal(answer.status_code, 401, f"status with {value and value.split()[0]}")
            expect(answer.headers.get("WWW-Authenticate", "").startswith("Bearer"), "WWW-Authenticate: Bearer")

    report.check("access", "FHIR without a good token is 401", not_a_token, "RFC 6750 §3")
