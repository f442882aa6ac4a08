"""Checks a request signed by RFC 9421, with a package of others.

Reads {"method", "url", "headers", "body", "key": PEM, "key_id", "algorithm"} from standard input; `body` may be null.
Prints the signed components, a line each, and exits with 0 if the signature is good; otherwise prints what failed and
exits with 1. Needs `http-message-signatures`.
"""

import json
import sys
from types import SimpleNamespace

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

ALGORITHMS = {"rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256, "ed25519": algorithms.ED25519}


class OneKey(HTTPSignatureKeyResolver):
    def __init__(self, key_id, pem):
        self.key_id, self.pem = key_id, pem

    def resolve_public_key(self, key_id):
        return self.pem.encode() if key_id == self.key_id else None


def main():
    given = json.load(sys.stdin)
    message = SimpleNamespace(method=given["method"], url=given["url"], headers=given["headers"])
    body = None if given["body"] is None else given["body"].encode()
    verifier = HTTPMessageVerifier(
        signature_algorithm=ALGORITHMS[given["algorithm"]], key_resolver=OneKey(given["key_id"], given["key"])
    )
    try:
        (result,) = verifier.verify(message, body=body)
    except HTTPMessageSignaturesException as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    print("\n".join(result.covered_components))
    return 0


if __name__ == "__main__":
    sys.exit(main())
