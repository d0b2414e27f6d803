/**
 * The `y-websocket-server` program exactly as its package installs it, with the old `ws` it depends
 * on; documents live in memory. It takes its address from the environment and says "running at"
 * when it serves. The package's exports do not name the program, hence the way round.
 */
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { host, portArgument } from "./arguments.ts"

process.env["HOST"] = host
process.env["PORT"] = String(portArgument())

const require = createRequire(import.meta.url)
const packageFolder = dirname(require.resolve("@y/websocket-server/package.json"))
await import(pathToFileURL(join(packageFolder, "src", "server.js")).href)
