/**
 * Hocuspocus as its documentation starts it, without any extension: documents live in memory.
 */
import { Server } from "@hocuspocus/server"
import { host, portArgument } from "./arguments.ts"

const port = portArgument()
await new Server({ address: host, port, quiet: true }).listen()
console.log(`ready ws://${host}:${port}`)
