/** All that only Automerge documents need: loaded with the first of them, in a chunk of its own. */
export * as library from "@automerge/automerge"
export { Conflicts, writeResolution } from "./automerge-conflicts.ts"
export { automergeHas, automergeLacking, headsSummary } from "./automerge-lacking.ts"
export { withUpdate } from "./automerge-update.ts"
