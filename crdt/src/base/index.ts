/** The floor of the house: ids, bytes, limits, errors. Imports nothing of ours. */
export * from "./assert.ts"
export * from "./bytes.ts"
export * from "./errors.ts"
export * from "./ids.ts"
export * from "./limits.ts"
export * from "./reader.ts"
export * from "./utf8.ts"
export * from "./writer.ts"
