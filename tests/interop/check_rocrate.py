"""Reads an RO-Crate that an export of a lineage describes.

Reads the text of `ro-crate-metadata.json` from standard input. Prints "ok" and what was found, as JSON on one line,
and exits with 0 when the `rocrate` package reads it, every reference leads to an entity of the crate, and the crate
has what RO-Crate 1.1 demands of its root. Otherwise prints what failed, a line each, and exits with 1. There is no
network.
"""

import json
import pathlib
import socket
import sys
import tempfile

from rocrate.rocrate import ROCrate

SPECIFICATION = "https://w3id.org/ro/crate/1.1"


def no_network(*_, **__):
    raise OSError("there is no network in this test")


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def ids(entity, name):
    return [value if isinstance(value, str) else value.id for value in as_list(entity.get(name))]


def faults_of(crate, document):
    known = {entity.id for entity in crate.get_entities()}
    given = [entity["@id"] for entity in document["@graph"]]
    if len(given) != len(set(given)):
        yield "two entities have one @id"
    for entity in document["@graph"]:
        for name, value in entity.items():
            for target in as_list(value):
                if not isinstance(target, dict):
                    continue
                if set(target) != {"@id"}:
                    yield f"{entity['@id']}: {name} is not flat"
                elif target["@id"] not in known and (name, target["@id"]) != ("conformsTo", SPECIFICATION):
                    yield f"{entity['@id']}: {name} leads nowhere: {target['@id']}"
    root = crate.root_dataset
    for name in ("name", "description", "datePublished"):
        if not root.get(name):
            yield f"the root has no {name}"
    if crate.metadata.get("conformsTo") not in (SPECIFICATION, {"@id": SPECIFICATION}):
        yield f"the descriptor does not conform: {crate.metadata.get('conformsTo')!r}"
    parts = set(ids(root, "hasPart"))
    for entity in crate.data_entities:
        if entity.id not in parts:
            yield f"{entity.id} is data but no part of the root"


def main():
    text = sys.stdin.read()
    socket.socket.connect = no_network
    socket.getaddrinfo = no_network
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "ro-crate-metadata.json").write_text(text, encoding="utf-8")
        crate = ROCrate(folder)
        faults = list(faults_of(crate, json.loads(text)))
        if faults:
            print("\n".join(faults))
            return 1
        actions = [entity for entity in crate.get_entities() if "CreateAction" in as_list(entity.type)]
        print("ok " + json.dumps({
            "main": crate.mainEntity.id,
            "files": len(crate.data_entities),
            "actions": {action.id: {name: ids(action, name) for name in ("object", "result", "instrument")}
                        for action in actions},
            "names": sorted(entity.get("name") for entity in crate.data_entities),
        }))
    return 0


if __name__ == "__main__":
    sys.exit(main())
