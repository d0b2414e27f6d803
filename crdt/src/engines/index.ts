/** Engines without their implementations: `engines/yjs` and `engines/automerge` load those. */
export * from "./engine.ts"
