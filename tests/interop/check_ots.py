#!/usr/bin/env python3
"""Verifies OpenTimestamps proofs with the official client.

  check_ots.py NODE FILE [FILE ...]      (NODE: the URL of a regtest node; the proof of FILE is FILE.ots)

Prints a JSON list with {"ok": .., "said": ..} for each file.
"""
import contextlib, io, json, logging, sys

from otsclient.ots import main


def verify(node, file):
    said = io.StringIO()
    sys.argv = ["ots", "--no-cache", "--btc-regtest", "--bitcoin-node", node, "verify", file + ".ots"]
    # The client sets up its logging anew for each call, to where standard error is at that time.
    logging.root.handlers.clear()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    return {"ok": status == 0, "said": said.getvalue()}


if __name__ == "__main__":
    node, files = sys.argv[1], sys.argv[2:]
    json.dump([verify(node, file) for file in files], sys.stdout)
