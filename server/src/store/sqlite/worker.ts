/** The SQLite store's thread. */
import { serveLog } from "../thread/serve.ts"
import { SqliteLog } from "./log.ts"

await serveLog((options) => new SqliteLog(options))
