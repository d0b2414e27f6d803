/** Tabs that share one client: who leads, and what the others do. Pure; the SDK carries it out. */
export * from "./held-document.ts"
export type { DriverInput } from "./leader.ts"
export type * from "./tab-effect.ts"
export * from "./tab-limits.ts"
export * from "./tab-message.ts"
export * from "./tabs-core.ts"
