/**
 * Hocuspocus with its own SQLite extension over a file, all settings as shipped: a changed document
 * is stored as a whole, 2 s after its last change and 10 s after the first at the latest.
 */
import { join } from "node:path"
import { SQLite } from "@hocuspocus/extension-sqlite"
import { Server } from "@hocuspocus/server"
import { folderArgument, hocuspocusFile, host, portArgument } from "./arguments.ts"

const port = portArgument()
const database = join(folderArgument(), hocuspocusFile)
const server = new Server({
  address: host,
  port,
  quiet: true,
  extensions: [new SQLite({ database })],
})
await server.listen()
console.log(`ready ws://${host}:${port}`)
