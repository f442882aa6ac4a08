#!/usr/bin/env python3
"""What python-opentimestamps takes for the work that the benchmark of the log measures here.

  bench_ots.py LEAVES ROUNDS

Prints {"leaves_per_second": .., "microseconds_per_proof": ..}, medians.
"""
import hashlib, json, statistics, sys, time

from opentimestamps.core.notary import PendingAttestation
from opentimestamps.core.serialize import BytesSerializationContext
from opentimestamps.core.timestamp import Timestamp, make_merkle_tree

leaves, rounds = int(sys.argv[1]), int(sys.argv[2])
rates, proofs = [], []
for _ in range(rounds):
    timestamps = [Timestamp(hashlib.sha256(n.to_bytes(8, "big")).digest()) for n in range(leaves)]
    start = time.perf_counter()
    tip = make_merkle_tree(timestamps)
    rates.append(leaves / (time.perf_counter() - start))
    tip.attestations.add(PendingAttestation("https://calendar.example"))
    some = timestamps[:: max(1, leaves // 2000)]
    start = time.perf_counter()
    for timestamp in some:
        context = BytesSerializationContext()
        timestamp.serialize(context)
        context.getbytes()
    proofs.append((time.perf_counter() - start) / len(some) * 1e6)
json.dump({"leaves_per_second": statistics.median(rates), "microseconds_per_proof": statistics.median(proofs)}, sys.stdout)
