#!/usr/bin/env python3
"""Checks the bundle of /assets/{name}/proof with none of the registry's code, and without a network.

  verify_bundle.py [HASH] < bundle.json       (needs: pip install cryptography rfc8785 opentimestamps)

Prints each step. The status is 0 if the claim is proven, 1 if something is false, and 3 if the timestamp is not in a
block yet, or the bundle has no header. That the header is one of Bitcoin's chain is for a node or an explorer to say:
the last line names its hash. HASH is that of a block which you know to be Bitcoin's, and whose height you gave as
`headers_from` when you fetched the bundle: then nobody has to be asked.
"""
import base64, hashlib, itertools, json, os, subprocess, sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from opentimestamps.core.notary import BitcoinBlockHeaderAttestation
from opentimestamps.core.serialize import BytesDeserializationContext
from opentimestamps.core.timestamp import DetachedTimestampFile


class Untrue(Exception):
    """Something is not as it is claimed."""


def check(what, holds):
    if not holds:
        raise Untrue(what)
    print("true  " + what)


def signatures(bundle):
    """Both signatures of the claim, by keys that the actor has or had."""
    keys = bundle["actor"]
    rsa = [keys["rsa_pem"], *keys["former_rsa_pems"]]
    ed25519 = [keys["ed25519"], *keys["former_ed25519"]]
    return any(signed_by(bundle, *pair) for pair in itertools.product(rsa, ed25519))


def signed_by(bundle, pem, multikey):
    """Asks the other program here."""
    who = bundle["actor"]["id"]
    rsa = {"id": who + "#main-key", "owner": who, "publicKeyPem": pem}
    ed25519 = {"id": who + "#ed25519-key", "type": "Multikey", "controller": who, "publicKeyMultibase": multikey}
    actor = {"id": who, "publicKey": rsa, "assertionMethod": [ed25519]}
    question = json.dumps({"activity": bundle["activity"]["canonical"], "actor": actor})
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verify_activity.py")
    return subprocess.run([sys.executable, program], input=question.encode(), capture_output=True).returncode == 0


def receipt(text, entry):
    """RFC 6962: the path from an entry to the root of the checkpoint. Answers the checkpoint's note."""
    head, note = text.split("\n\n", 1)
    lines = head.split("\n")
    check("the receipt is a tlog-proof@v1", lines[0] == "c2sp.org/tlog-proof@v1")
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    index, path = int(lines[0].removeprefix("index ")), [base64.b64decode(line) for line in lines[1:]]
    origin, size, root = note.split("\n")[:3]
    node, at, last = hashlib.sha256(b"\x00" + entry).digest(), index, int(size) - 1
    for sibling in path:
        if at % 2 or at == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while not at % 2 and at:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        at, last = at >> 1, last >> 1
    check(f"entry {index} is in the log {origin} of size {size}", last == 0 and node == base64.b64decode(root))
    return note


def checkpoint(note, key):
    name, key_id, material = key.split("+", 2)
    body, signed = note.split("\n\n", 1)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(material)[1:])
    for line in signed.splitlines():
        by, signature = line.removeprefix("— ").rsplit(" ", 1)
        signature = base64.b64decode(signature)
        if by == name and signature[:4].hex() == key_id:
            try:
                public.verify(signature[4:], (body + "\n").encode())
                return True
            except InvalidSignature:
                return False
    return False


def block_hash(header):
    return hashlib.sha256(hashlib.sha256(header).digest()).digest()[::-1]


def link(segment, header, height, known):
    """That headers lead from the block of the proof to one that is known. Later blocks name all that came before
    them; what comes after a known one has only the work that was put into it."""
    raw, first = bytes.fromhex(segment["headers"]), segment["from"]
    headers = [raw[at : at + 80] for at in range(0, len(raw), 80)]
    hashes = [block_hash(one) for one in headers]
    check("the headers follow one another", all(b[4:36] == a[::-1] for a, b in zip(hashes, headers[1:])))
    last = first + len(headers) - 1
    check("the block of the proof is one of them", first <= height <= last and headers[height - first] == header)
    if height < last and hashes[-1] == known:
        print(f"true  the block that you know, {last}, comes after it")
        return
    check("the block that you know is at one end of them", known in (hashes[0], hashes[-1]))
    for one, hashed in zip(headers, hashes):
        exponent, mantissa = one[75], int.from_bytes(one[72:75], "little")
        target = mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)
        if int.from_bytes(hashed, "big") > target:
            raise Untrue("each header has the work that it names")
    print(f"true  it is {height - first} blocks after the one that you know, each with the work that it names")


def main():
    bundle = json.load(sys.stdin)
    check("the bundle is of a form that is known here", bundle["format"] == "artdag-proof/1")
    canonical = bundle["activity"]["canonical"].encode()
    entry, claim = hashlib.sha256(canonical).digest(), json.loads(canonical)
    check("the claim is of this asset", claim["object"]["name"] == bundle["asset"]["name"])
    check("the claim is the actor's", claim["actor"] == bundle["actor"]["id"])
    check("both signatures are by the actor's keys", signatures(bundle))
    note = receipt(bundle["log"]["receipt"], entry)
    check("the checkpoint is signed by the log's key", checkpoint(note, bundle["log"]["key"]))
    timestamp = bundle["timestamp"]
    if timestamp is None or timestamp["ots"] is None or timestamp["header"] is None:
        print("the claim is not in a block yet, or the bundle has no header")
        return 3
    ots = DetachedTimestampFile.deserialize(BytesDeserializationContext(base64.b64decode(timestamp["ots"])))
    check("the timestamp is of the claim", ots.file_digest == entry)
    header = bytes.fromhex(timestamp["header"])
    blocks = [(a.height, m) for m, a in ots.timestamp.all_attestations() if isinstance(a, BitcoinBlockHeaderAttestation)]
    heights = [height for height, message in blocks if message == header[36:68]]
    check("the timestamp leads to the block's Merkle root", heights != [])
    if len(sys.argv) > 1:
        check("the bundle has headers up to the block that you know", timestamp["headers"] is not None)
        link(timestamp["headers"], header, heights[0], bytes.fromhex(sys.argv[1]))
        print(f"The claim existed when block {heights[0]} was made.")
    else:
        print(f"The claim existed when block {heights[0]} was made, if that is {block_hash(header).hex()}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Untrue as what:
        print("FALSE " + str(what))
        sys.exit(1)
