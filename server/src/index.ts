/** Causeway's server for embedding: `createNode` starts a node in this process. */
export { createNode } from "./node.ts"
export type { NodeOptions, RunningNode } from "./node.ts"
export type { ListenAddress } from "./address.ts"
export type { LastRenewal, RunningStatus } from "./observe/renewal.ts"
export type { Log } from "./observe/log.ts"
export type { StoreChoice } from "./open-store.ts"
export { StartError } from "./start-error.ts"
export type { StartErrorCode } from "./start-error.ts"
