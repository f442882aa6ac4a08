"""Reads one lineage in three notations of W3C PROV and says whether they say the same.

Reads {"prov-json": "<text>", "prov-n": "<text>", "jsonld": "<text>"} from standard input. Prints "ok" and what was
counted, as JSON on one line, and exits with 0 when the `prov` package reads all three as equal documents, and rdflib
finds the same relations in the JSON-LD as PROV-O. Otherwise prints what failed, a line each, and exits with 1.

Every warning of `prov` counts as a failure, and there is no network: contexts have to be inline.
"""

import collections
import json
import socket
import sys
import warnings

import rdflib
from prov.model import ProvDocument
from rdflib.namespace import PROV, RDF, RDFS

READERS = {"prov-json": "json", "prov-n": "provn", "jsonld": "jsonld"}
# A relation in PROV-DM, the property that qualifies it in PROV-O, its class, and where it points.
RELATIONS = {
    "Generation": (PROV.qualifiedGeneration, PROV.Generation, PROV.activity, ("entity", "activity")),
    "Usage": (PROV.qualifiedUsage, PROV.Usage, PROV.entity, ("activity", "entity")),
    "Derivation": (PROV.qualifiedDerivation, PROV.Derivation, PROV.entity, ("generatedEntity", "usedEntity")),
    "Attribution": (PROV.qualifiedAttribution, PROV.Attribution, PROV.agent, ("entity", "agent")),
    "Association": (PROV.qualifiedAssociation, PROV.Association, PROV.agent, ("activity", "agent")),
}


def no_network(*_, **__):
    raise OSError("there is no network in this test")


def records_of(document):
    """Each record as text, counted: what a difference is told with."""
    return collections.Counter(
        f"{record.get_type()} {record.identifier} {sorted(str(pair) for pair in record.attributes)}"
        for record in document.get_records()
    )


def differences(name, one, other):
    for text, count in (records_of(one) - records_of(other)).items():
        yield f"prov-json alone, not {name} ({count}x): {text}"
    for text, count in (records_of(other) - records_of(one)).items():
        yield f"{name} alone, not prov-json ({count}x): {text}"


def same_as_prov_o(document, text):
    """The JSON-LD as any RDF tool reads it, against the document as PROV tools read it."""
    graph = rdflib.Graph().parse(data=text, format="json-ld")
    for kind, (qualified, kind_class, influencer, roles) in RELATIONS.items():
        told = collections.Counter()
        for record in document.get_records():
            if record.get_type().localpart == kind:
                by_role = {name.localpart: value.uri for name, value in record.formal_attributes if value is not None}
                told[tuple(by_role[role] for role in roles)] += 1
        read = collections.Counter()
        for subject, node in graph.subject_objects(qualified):
            if (node, RDF.type, kind_class) in graph:
                read[(str(subject), str(graph.value(node, influencer)))] += 1
        if told != read:
            yield f"{kind}: PROV-O has {len(read)}, PROV-JSON {len(told)}; {(told - read) + (read - told)}"
    for kind in ("Entity", "Activity", "Agent"):
        told = {record.identifier.uri for record in document.get_records() if record.get_type().localpart == kind}
        read = {str(subject) for subject in graph.subjects(RDF.type, PROV[kind])}
        if told != read:
            yield f"{kind}: differs between PROV-O and PROV-JSON: {told ^ read}"
    labels = {(r.identifier.uri, str(label)) for r in document.get_records() for label in r.get_attribute("prov:label")}
    if labels != {(str(subject), str(label)) for subject, label in graph.subject_objects(RDFS.label)}:
        yield "labels differ between PROV-O and PROV-JSON"


def main():
    texts = json.load(sys.stdin)
    socket.socket.connect = no_network
    socket.getaddrinfo = no_network
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        documents = {
            name: ProvDocument.deserialize(content=texts[name], format=reader) for name, reader in READERS.items()
        }
    document = documents["prov-json"]
    faults = []
    for name, other in documents.items():
        if document != other or other != document:
            faults.append(f"{name} is not equal to prov-json")
            faults.extend(differences(name, document, other))
    faults.extend(same_as_prov_o(document, texts["jsonld"]))
    if faults:
        print("\n".join(faults))
        return 1
    counts = collections.Counter(record.get_type().localpart for record in document.get_records())
    labels = sorted(str(label) for record in document.get_records() for label in record.get_attribute("prov:label"))
    print("ok " + json.dumps({"counts": counts, "labels": labels}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
