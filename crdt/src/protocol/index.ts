/** Both wire protocols we own, their versions and codes. Stock codecs: `protocol/stock`. */
export * from "./close-codes.ts"
export * from "./link/index.ts"
export * from "./native/index.ts"
export * from "./presence.ts"
export * from "./reject-codes.ts"
export * from "./tags.ts"
export * from "./version.ts"
