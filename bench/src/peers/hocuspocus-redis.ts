/**
 * One of several Hocuspocus instances, as its documentation scales it: the Redis extension, and the
 * SQLite extension over one file that all instances share. All settings as shipped.
 */
import { join } from "node:path"
import { Redis } from "@hocuspocus/extension-redis"
import { SQLite } from "@hocuspocus/extension-sqlite"
import { Server } from "@hocuspocus/server"
import { folderArgument, hocuspocusFile, host, portArgument } from "./arguments.ts"

const port = portArgument()
const database = join(folderArgument(), hocuspocusFile)
const redisPort = Number(process.argv[4])
if (!Number.isInteger(redisPort)) throw new TypeError("usage: PORT DIR REDIS_PORT")
const server = new Server({
  address: host,
  port,
  quiet: true,
  extensions: [new Redis({ host, port: redisPort }), new SQLite({ database })],
})
await server.listen()
console.log(`ready ws://${host}:${port}`)
