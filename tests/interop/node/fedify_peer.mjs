// Tiny Fedify ActivityPub peer for loopback interop tests (plain http).
//   node peer.mjs --port 4001 [--spec rfc9421|draft-cavage-http-signatures-12] [--bench] [--queue] [--origin http://127.0.0.1:4001] [--quiet]
// Federation surface:  /users/{id}  /users/{id}/inbox  /inbox  /users/{id}/followers  /users/{id}/outbox
//                      /.well-known/webfinger  /nodeinfo/2.1
// Test control plane (JSON, not federation):
//   GET  /_ctl/received              activities that passed verification
//   GET  /_ctl/requests              last raw inbox requests: method,url,headers,status
//   POST /_ctl/send {"type":"Follow|Create|Update|Undo|Announce|Like|Delete","from":"alice","target":"http://127.0.0.1:PORT/actor"}
//   POST /_ctl/reset
globalThis.navigator ??= { userAgent: "node" }; // Node 20: Fedify queue mode reads navigator.userAgent
import { createServer } from "node:http";
import {
  createFederation, MemoryKvStore, InProcessMessageQueue, generateCryptoKeyPair,
} from "@fedify/fedify";
import {
  Accept, Announce, Create, Delete, Follow, Like, Note, Person, Reject, Undo, Update, Endpoints, Tombstone, isActor, lookupObject, PUBLIC_COLLECTION,
} from "@fedify/vocab";

const args = process.argv.slice(2);
const opt = (n, d) => { const i = args.indexOf("--" + n); return i < 0 ? d : (args[i + 1]?.startsWith("--") || args[i + 1] === undefined ? true : args[i + 1]); };
const port = Number(opt("port", 4001));
const host = opt("host", "127.0.0.1");
const origin = opt("origin", `http://${host}:${port}`);
const spec = opt("spec", undefined);
const bench = !!opt("bench", false);
const useQueue = !!opt("queue", false);
const quiet = !!opt("quiet", false);

if (!quiet) {
  try {
    const { configure, getConsoleSink } = await import("@logtape/logtape");
    await configure({ sinks: { console: getConsoleSink() }, filters: {},
      loggers: [{ category: "fedify", lowestLevel: opt("log", "warning"), sinks: ["console"] }, { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["console"] }] });
  } catch (e) { console.error("no logtape", e.message); }
}

const received = []; const requests = []; let count = 0; const followers = new Map();
const federation = createFederation({
  kv: new MemoryKvStore(),
  queue: useQueue ? new InProcessMessageQueue() : undefined,
  origin,
  ...(spec ? { firstKnock: spec } : {}),
  ...(bench ? { benchmarkMode: true } : { allowPrivateAddress: true }),
  inboxChallengePolicy: opt("challenge", false) ? { enabled: true, requestNonce: opt("challenge") === "nonce" } : undefined,
});

const keys = new Map();
// The promise is what is kept: whoever asks while keys are being made waits for the same ones.
function keyPairs(id) {
  if (!keys.has(id)) keys.set(id, Promise.all([
    generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), generateCryptoKeyPair("Ed25519") ]));
  return keys.get(id);
}
const users = new Set(["alice", "bob"]);
federation.setActorDispatcher("/users/{identifier}", async (ctx, id) => {
  if (!users.has(id)) return null;
  const kp = await ctx.getActorKeyPairs(id);
  return new Person({
    id: ctx.getActorUri(id), preferredUsername: id, name: `Fedify ${id}`, summary: "loopback test peer",
    inbox: ctx.getInboxUri(id), outbox: ctx.getOutboxUri(id), followers: ctx.getFollowersUri(id),
    endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    publicKey: kp[0].cryptographicKey, assertionMethods: kp.map((k) => k.multikey),
    url: ctx.getActorUri(id),
  });
}).setKeyPairsDispatcher(async (_ctx, id) => users.has(id) ? await keyPairs(id) : []);
federation.setObjectDispatcher(Note, "/users/{identifier}/notes/{id}", (ctx, v) => new Note({
  id: ctx.getObjectUri(Note, v), attribution: ctx.getActorUri(v.identifier), content: `note ${v.id}`, to: PUBLIC_COLLECTION }));
federation.setFollowersDispatcher("/users/{identifier}/followers", (_c, _id) => ({ items: [...followers.values()] }));
federation.setOutboxDispatcher("/users/{identifier}/outbox", () => ({ items: [] }));
federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
  software: { name: "fedify-peer", version: "0.1.0" }, protocols: ["activitypub"],
  usage: { users: { total: users.size }, localPosts: 0, localComments: 0 } }));
const record = async (ctx, a) => {
  count++;
  if (bench) return;
  received.push({ type: a.constructor.name, id: a.id?.href, actor: a.actorId?.href, object: a.objectId?.href, at: Date.now() });
};
let L = federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
L = L.on(Follow, async (ctx, f) => {
  await record(ctx, f);
  if (bench) return;
  const parsed = ctx.parseUri(f.objectId);
  if (parsed?.type !== "actor") return;
  const who = await f.getActor(ctx);
  if (!who?.id || !who.inboxId) return;
  followers.set(who.id.href, who);
  await ctx.sendActivity({ identifier: parsed.identifier }, who, new Accept({
    id: new URL(`#accepts/${crypto.randomUUID()}`, ctx.getActorUri(parsed.identifier)),
    actor: ctx.getActorUri(parsed.identifier), object: f }));
});
for (const T of [Create, Accept, Reject, Undo, Announce, Like, Update, Delete]) L = L.on(T, record);
L.onError((_ctx, e) => { console.error("inbox error:", e?.message ?? e); });
if (opt("shared-key", true)) L.setSharedKeyDispatcher(() => ({ identifier: "alice" }));

async function ctl(req, url, body) {
  if (url.pathname === "/_ctl/received") return { count, received };
  if (url.pathname === "/_ctl/requests") return requests;
  if (url.pathname === "/_ctl/reset") { received.length = 0; requests.length = 0; count = 0; followers.clear(); return { ok: true }; }
  if (url.pathname === "/_ctl/lookup") {
    const ctx = federation.createContext(new URL(origin), undefined);
    const o = await ctx.lookupObject(url.searchParams.get("q"));
    return o ? await o.toJsonLd(ctx) : { error: "not found" };
  }
  if (url.pathname === "/_ctl/send") {
    const ctx = federation.createContext(new URL(origin), undefined);
    const j = JSON.parse(body);
    const from = j.from ?? "alice"; const me = ctx.getActorUri(from);
    const loader = await ctx.getDocumentLoader({ identifier: from });
    let target = null;
    if (j.target) { target = await ctx.lookupObject(j.target, { documentLoader: loader }); if (!target || !isActor(target)) return { error: "target actor not found", got: target?.constructor?.name ?? null }; }
    const recipient = target ?? { id: new URL(j.recipientId), inboxId: new URL(j.inbox) };
    const id = new URL(`#${j.type.toLowerCase()}/${j.uuid ?? crypto.randomUUID()}`, me);
    const obj = j.object ? new URL(j.object) : recipient.id;
    let a;
    if (j.type === "Follow") a = new Follow({ id, actor: me, object: obj });
    else if (j.type === "Create") { const nid = crypto.randomUUID();
      a = new Create({ id, actor: me, to: PUBLIC_COLLECTION, cc: recipient.id, object: new Note({ id: ctx.getObjectUri(Note, { identifier: from, id: nid }), attribution: me, content: j.content ?? "hello", to: PUBLIC_COLLECTION, cc: recipient.id }) }); }
    else if (j.type === "Update") a = new Update({ id, actor: me, to: PUBLIC_COLLECTION, object: new Note({ id: obj, attribution: me, content: j.content ?? "changed", to: PUBLIC_COLLECTION }) });
    else if (j.type === "Undo") a = new Undo({ id, actor: me, object: new Follow({ id: new URL(j.followId), actor: me, object: obj }) });
    else if (j.type === "Like") a = new Like({ id, actor: me, object: obj });
    else if (j.type === "Announce") a = new Announce({ id, actor: me, object: obj, to: PUBLIC_COLLECTION });
    else if (j.type === "Delete") a = new Delete({ id, actor: me, object: obj, to: PUBLIC_COLLECTION });
    else return { error: "type?" };
    await ctx.sendActivity({ identifier: from }, recipient, a, { preferSharedInbox: !!j.shared, immediate: !j.queued });
    return { sent: a.id.href, json: await a.toJsonLd(ctx) };
  }
  return null;
}

const server = createServer(async (req, res) => {
  const chunks = []; for await (const c of req) chunks.push(c);
  const body = chunks.length ? Buffer.concat(chunks) : undefined;
  const url = new URL(req.url, origin);
  try {
    if (url.pathname.startsWith("/_ctl/")) {
      const out = await ctl(req, url, body?.toString());
      res.writeHead(out ? 200 : 404, { "content-type": "application/json" }); res.end(JSON.stringify(out ?? { error: "no such control" })); return;
    }
    const headers = new Headers();
    for (let i = 0; i < req.rawHeaders.length; i += 2) headers.append(req.rawHeaders[i], req.rawHeaders[i + 1]);
    const request = new Request(url, { method: req.method, headers, body: ["GET", "HEAD"].includes(req.method) ? undefined : body, duplex: "half" });
    const r = await federation.fetch(request, { contextData: undefined });
    if (!bench && req.method === "POST") { requests.push({ method: req.method, url: url.href, headers: Object.fromEntries(headers), body: body?.toString(), status: r.status }); if (requests.length > 200) requests.shift(); }
    const h = {}; r.headers.forEach((v, k) => { h[k] = v; });
    const buf = Buffer.from(await r.arrayBuffer());
    res.writeHead(r.status, h); res.end(buf);
  } catch (e) { console.error("peer error", e); if (!res.headersSent) res.writeHead(500); res.end(JSON.stringify({ error: String(e?.stack ?? e) })); }
});
server.listen(port, host, () => console.log(`fedify peer ready ${origin} node ${process.version} pid ${process.pid}`));
for (const s of ["SIGTERM", "SIGINT"]) process.on(s, () => { server.close(); process.exit(0); });
