/** Interfaces between the cores and the world. Types only. */
export type * from "./client-storage.ts"
export type * from "./random.ts"
export type * from "./store.ts"
