/** The stores a node can have, all behind the store port, all held to one contract suite. */
export { StoreOpenError, storeOpenErrorCodes } from "./errors.ts"
export type { StoreOpenErrorCode } from "./errors.ts"
export { openMemoryStore } from "./memory.ts"
export type { MemoryStoreOptions } from "./memory.ts"
export { openSqliteStore } from "./sqlite/index.ts"
export type { CorruptEntry, SqliteStoreOptions } from "./sqlite/index.ts"
