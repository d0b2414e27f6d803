/**
 * Why a node refuses an update. Permanent ones are skipped for good and the client keeps the
 * update for its app; after a retryable one the node takes nothing past it until the client
 * sends it again (go-back-N), so order holds. Numbers are never reused.
 */
export const rejectCodes = {
  "permission-denied": { number: 1, retry: false },
  "invalid-update": { number: 2, retry: false },
  "too-large": { number: 3, retry: false },
  "rate-limited": { number: 4, retry: true },
  "document-deleted": { number: 5, retry: false },
  overloaded: { number: 6, retry: true },
  "store-failed": { number: 7, retry: true },
  "missing-predecessors": { number: 8, retry: true },
  "document-not-open": { number: 9, retry: true },
} as const

export type RejectCode = keyof typeof rejectCodes
