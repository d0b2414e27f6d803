/** The link protocol: node to node. */
export * from "./entries.ts"
export * from "./heads.ts"
export * from "./hello.ts"
export * from "./messages.ts"
export * from "./ping.ts"
export * from "./presence.ts"
export * from "./vector.ts"
export * from "./want.ts"
