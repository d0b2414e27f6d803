/**
 * Every close code Causeway sends, in one table read by nodes, clients and the docs. 4400–4499 are
 * permanent: y-websocket 3.1 and our SDK stop for good. Everything else is worth another try.
 */
const malformed = {
  code: 4400,
  retry: false,
  says: "a frame is not of this protocol",
} as const
const silent = { code: 4504, retry: true, says: "nothing was heard for too long" } as const

/** What a client closes with: apart from the others, which a browser need not load. */
export const clientCloseCodes = { malformed, silent } as const

export const closeCodes = {
  "going-away": { code: 1001, retry: true, says: "the client is leaving" },
  "service-restart": { code: 1012, retry: true, says: "the node is stopping; connect again" },
  overloaded: { code: 4501, retry: true, says: "the node has too much unsaved work; try later" },
  "store-failed": { code: 4500, retry: true, says: "the node can't write to its disk; try later" },
  "too-slow": { code: 4502, retry: true, says: "the client did not read for too long" },
  replaced: { code: 4503, retry: true, says: "the same client connected again" },
  silent,
  "missing-predecessors": {
    code: 4505,
    retry: true,
    says: "too many updates whose predecessors are missing; reconnect to send them",
  },
  "read-failed": { code: 4506, retry: true, says: "the document can't be read right now" },
  "token-unchecked": { code: 4507, retry: true, says: "tokens can't be checked now; try later" },
  "token-expired": { code: 4508, retry: true, says: "the token is over; connect with another" },
  malformed,
  "not-authenticated": { code: 4401, retry: false, says: "the token is missing or not taken" },
  "bad-document-name": { code: 4404, retry: false, says: "not a document name: 1–512 bytes UTF-8" },
  "document-deleted": { code: 4410, retry: false, says: "the document was deleted, for good" },
  "hello-expected": { code: 4408, retry: false, says: "the first message must be a hello" },
  "too-large": { code: 4413, retry: false, says: "a frame or update is over the size limit" },
  "invalid-update": { code: 4422, retry: false, says: "an update does not decode" },
  "version-mismatch": { code: 4426, retry: false, says: "no protocol version in common: upgrade" },
  "link-version-mismatch": { code: 4510, retry: true, says: "no link version in common" },
  "cluster-mismatch": { code: 4511, retry: true, says: "the peer belongs to another cluster" },
  "duplicate-link": { code: 4512, retry: true, says: "these nodes are linked already" },
  "self-link": { code: 4513, retry: true, says: "the peer address leads back to this node" },
  "fork-detected": { code: 4514, retry: true, says: "two logs of one origin differ" },
  "link-not-authenticated": {
    code: 4515,
    retry: true,
    says: "the peer did not prove that it knows the cluster's secret",
  },
  retired: { code: 4516, retry: true, says: "this origin is retired; the node needs a fresh one" },
} as const

export type CloseReason = keyof typeof closeCodes

/** Whether a client that was closed with `code` may connect again. */
export function mayRetry(code: number): boolean {
  return code < 4400 || code > 4499
}
