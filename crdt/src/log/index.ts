/** The log's vocabulary: records, hash chains, and the pure in-memory log. */
export * from "./chain.ts"
export * from "./cluster-record.ts"
export * from "./digest-leaf.ts"
export * from "./memory-log.ts"
export * from "./query.ts"
export * from "./record.ts"
export * from "./renewal.ts"
export * from "./snapshot.ts"
