"""libjwt (a C library with OpenSSL) as the independent second implementation of JOSE, by ctypes."""

import base64
import ctypes
import ctypes.util
import json

# jwt_alg_t of jwt.h
ALGORITHMS = {"RS256": 4, "RS384": 5, "RS512": 6, "ES256": 7, "ES384": 8, "ES512": 9}


class LibJWTError(Exception):
    pass


def load():
    name = ctypes.util.find_library("jwt") or "libjwt.so.0"
    library = ctypes.CDLL(name)
    library.jwt_new.argtypes = [ctypes.POINTER(ctypes.c_void_p)]
    library.jwt_free.argtypes = [ctypes.c_void_p]
    library.jwt_free.restype = None
    library.jwt_add_grants_json.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.jwt_add_header.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    library.jwt_set_alg.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    library.jwt_encode_str.argtypes = [ctypes.c_void_p]
    library.jwt_encode_str.restype = ctypes.c_char_p
    return library


def check(code, what):
    if code != 0:
        raise LibJWTError(f"{what}: {code}")


def sign(claims, alg, pem, kid):
    library, token = load(), ctypes.c_void_p()
    check(library.jwt_new(ctypes.byref(token)), "jwt_new")
    try:
        check(library.jwt_add_grants_json(token, json.dumps(claims).encode()), "jwt_add_grants_json")
        check(library.jwt_add_header(token, b"kid", kid.encode()), "jwt_add_header")
        check(library.jwt_set_alg(token, ALGORITHMS[alg], pem, len(pem)), "jwt_set_alg")
        encoded = library.jwt_encode_str(token)
        if not encoded:
            raise LibJWTError("jwt_encode_str gave nothing")
        return encoded.decode()
    finally:
        library.jwt_free(token)


def verify(text, alg, public_pem):
    """The claims of a token whose signature libjwt finds good under the key, by exactly this algorithm.

    jwt_decode of libjwt 1.10 refuses every typ but JWT, and RFC 9068 wants at+jwt; so this calls the function by which
    jwt_decode verifies. The library exports it, its header does not name it.
    """
    signed, signature = text.rsplit(".", 1)
    head, payload = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in signed.split("."))
    if head["alg"] != alg:
        raise LibJWTError("another algorithm than expected")
    library, token = load(), ctypes.c_void_p()
    library.jwt_verify_sha_pem.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p]
    check(library.jwt_new(ctypes.byref(token)), "jwt_new")
    try:
        check(library.jwt_set_alg(token, ALGORITHMS[alg], public_pem, len(public_pem)), "jwt_set_alg")
        check(library.jwt_verify_sha_pem(token, signed.encode(), signature.encode()), "jwt_verify_sha_pem")
        return payload
    finally:
        library.jwt_free(token)
