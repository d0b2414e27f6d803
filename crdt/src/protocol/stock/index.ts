/** Codecs of stock clients. */
export * from "./y-websocket.ts"
