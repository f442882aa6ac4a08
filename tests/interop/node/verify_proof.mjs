// Checks the FEP-8b32 proof of an activity, with the cryptosuite of the authors of Data Integrity.
//
// Reads {"activity": document, "method": Multikey} from standard input. Prints "ok" and exits with 0 if the proof is
// good; otherwise prints what failed and exits with 1.

import { text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { createVerifyCryptosuite } from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import { decode } from "base58-universal";

async function check({ activity, method }) {
  const { proof, signature: _, ...document } = activity;
  if (proof.verificationMethod !== method.id || proof.type !== "DataIntegrityProof") return "another kind of proof";
  const cryptosuite = createVerifyCryptosuite();
  if (proof.cryptosuite !== cryptosuite.name) return "another cryptosuite";
  // The suite compares the members of both contexts with `===`, which terms spelled out inline never pass.
  const known = document["@context"];
  proof["@context"] = proof["@context"].map((entry) => known.find((other) => isDeepStrictEqual(other, entry)) ?? entry);
  const data = await cryptosuite.createVerifyData({ cryptosuite, document, proof });
  const verifier = await cryptosuite.createVerifier({ verificationMethod: method });
  const good = await verifier.verify({ data, signature: decode(proof.proofValue.slice(1)) });
  return good ? undefined : "the proof does not match";
}

const failed = await check(JSON.parse(await text(process.stdin))).catch((error) => error.message);
console.log(failed ?? "ok");
process.exitCode = failed ? 1 : 0;
