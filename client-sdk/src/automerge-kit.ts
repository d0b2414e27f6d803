/** All that only Automerge documents need: loaded with the first of them, in a chunk of its own. */
export { automergeHas } from "./automerge-lacking.ts"
export { AutomergeReplica, library } from "./automerge-replica.ts"
