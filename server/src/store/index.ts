/** The stores a node can have, all behind the store port, all held to one contract suite. */
export { StoreOpenError } from "./errors.ts"
export { newMemoryLog, openMemoryStore } from "./memory.ts"
export { openSqliteStore } from "./sqlite/index.ts"
