/** The client core: outbox, resume, status. Pure; drivers own sockets, storage and replicas. */
export * from "./client-core.ts"
export * from "./client-id.ts"
export * from "./client-limits.ts"
export type * from "./effect.ts"
export type * from "./input.ts"
export type * from "./status.ts"
export { higherTiers } from "./tier-positions.ts"
export type { HigherTier } from "./tier-positions.ts"
