// Checks a request signed by draft-cavage-http-signatures-12, with the package that PeerTube uses.
//
// Reads {"request": {method, url, headers}, "key": PEM} from standard input; `url` is path and query. Prints "ok" and
// exits with 0 if the signature is good; otherwise prints what failed and exits with 1.

import { text } from "node:stream/consumers";
import httpSignature from "@peertube/http-signature";

const { request, key } = JSON.parse(await text(process.stdin));
let failed;
try {
  const parsed = httpSignature.parseRequest(request, { clockSkew: 60, strict: true });
  failed = httpSignature.verifySignature(parsed, key) ? undefined : "the signature does not match";
} catch (error) {
  failed = error.message;
}
console.log(failed ?? "ok");
process.exitCode = failed ? 1 : 0;
