"""Checks the two signatures of a published activity, independently of the registry that made them.

Reads {"activity": "<the exact text>", "actor": {<the actor's document>}} from standard input. Prints "ok" and exits
with 0 when both signatures are good and made with keys that the actor itself lists; otherwise prints what failed,
a line each, and exits with 1.

Written from the texts: docs/signatures.md for `signature`, FEP-8b32 and W3C's Data Integrity EdDSA Cryptosuites
(eddsa-jcs-2022) for `proof`, FEP-521a for the key. Needs `cryptography` and `rfc8785`.
"""

import base64
import hashlib
import json
import sys

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Failed(Exception):
    """A sentence about what is wrong."""


def require(condition, sentence):
    if not condition:
        raise Failed(sentence)


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def base58btc(multibase):
    require(isinstance(multibase, str) and multibase[:1] == "z", f"not base58btc: {multibase!r}")
    number = 0
    for digit in multibase[1:]:
        require(digit in BASE58, f"not a base58 digit: {digit!r}")
        number = number * 58 + BASE58.index(digit)
    zeros = len(multibase[1:]) - len(multibase[1:].lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def engine_hash(value):
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).digest()


def check_signature(activity, actor):
    """The Art DAG engine's scheme: RSA over two hashes, of the options and of six members."""
    signature = activity.get("signature")
    require(isinstance(signature, dict), "there is no signature")
    require(signature.get("type") == "RsaSignature2017", "not an RsaSignature2017")
    key = actor.get("publicKey") or {}
    require(activity.get("actor") == actor["id"], "the activity is another actor's")
    require(key.get("owner") == actor["id"], "the actor does not own its public key")
    require(key.get("id") == actor["id"] + "#main-key", "the public key is not the main key")
    require(signature.get("creator") == key["id"], "the signature is by another key")
    options = {
        "@context": "https://w3id.org/security/v1",
        "type": signature["type"],
        "creator": signature["creator"],
        "created": signature["created"],
    }
    document = {"@context": "https://www.w3.org/ns/activitystreams"}
    for member in ("type", "id", "actor", "object", "published"):
        require(member in activity, f"there is no {member}")
        document[member] = activity[member]
    public = serialization.load_pem_public_key(key["publicKeyPem"].encode("ascii"))
    require(isinstance(public, rsa.RSAPublicKey) and public.key_size >= 2048, "no RSA key of 2048 bits")
    value = base64.b64decode(signature["signatureValue"], validate=True)
    message = engine_hash(options) + engine_hash(document)
    public.verify(value, message, padding.PKCS1v15(), hashes.SHA256())


def check_proof(activity, actor):
    """FEP-8b32: Ed25519 over two hashes, of the proof's options and of the document without its signatures."""
    proof = activity.get("proof")
    require(isinstance(proof, dict), "there is no proof")
    require(proof.get("type") == "DataIntegrityProof", "not a DataIntegrityProof")
    require(proof.get("cryptosuite") == "eddsa-jcs-2022", "not eddsa-jcs-2022")
    require(proof.get("proofPurpose") == "assertionMethod", "made for another purpose")
    require(activity.get("actor") == actor["id"], "the activity is another actor's")
    methods = [m for m in as_list(actor.get("assertionMethod")) if isinstance(m, dict)]
    key = next((m for m in methods if m.get("id") == proof.get("verificationMethod")), None)
    require(key is not None, "the actor does not list the proof's key")
    require(key.get("type") == "Multikey", "the key is not a Multikey")
    require(key.get("controller") == actor["id"], "the key is controlled by somebody else")
    public = base58btc(key.get("publicKeyMultibase"))
    require(public[:2] == b"\xed\x01" and len(public) == 34, "the key is not an Ed25519 public key")
    options = {name: value for name, value in proof.items() if name != "proofValue"}
    document = {name: value for name, value in activity.items() if name not in ("proof", "signature")}
    if "@context" in options:
        signed = as_list(options["@context"])
        require(as_list(document.get("@context"))[: len(signed)] == signed, "the proof has another @context")
        document["@context"] = options["@context"]
    message = b"".join(hashlib.sha256(rfc8785.dumps(part)).digest() for part in (options, document))
    ed25519.Ed25519PublicKey.from_public_bytes(public[2:]).verify(base58btc(proof.get("proofValue")), message)


def main():
    given = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    activity, actor = json.loads(given["activity"]), given["actor"]
    failures = []
    for name, check in (("signature", check_signature), ("proof", check_proof)):
        try:
            check(activity, actor)
        except InvalidSignature:
            failures.append(f"{name}: does not match the activity")
        except Failed as failed:
            failures.append(f"{name}: {failed}")
        except Exception as error:  # Whatever is wrong with what is checked, it is not good.
            failures.append(f"{name}: {type(error).__name__}: {error}")
    print("\n".join(failures) or "ok")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main())
