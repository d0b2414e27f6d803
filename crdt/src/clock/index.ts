/** Logical time: dots and version vectors. */
export * from "./version-vector.ts"
