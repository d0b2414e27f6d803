/** The node core: sessions, log, links. One class, one `step`. */
export * from "./config.ts"
export * from "./effect.ts"
export * from "./input.ts"
export * from "./job.ts"
export * from "./node-core.ts"
export * from "./reopenings.ts"
export * from "./status.ts"
