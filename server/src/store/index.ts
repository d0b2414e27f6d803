/** The stores a node can have, all behind the store port, all held to one contract suite. */
export { StoreOpenError } from "./errors.ts"
export { storeKinds } from "./kinds.ts"
export type { StoreKind } from "./kinds.ts"
export { openLevelStore } from "./level/index.ts"
export { newMemoryLog, openMemoryStore } from "./memory.ts"
export { openSqliteStore } from "./sqlite/index.ts"
