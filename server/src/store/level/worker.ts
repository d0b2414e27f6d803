/** The LevelDB store's thread. */
import { serveLog } from "../thread/serve.ts"
import { openLevelLog } from "./open.ts"

await serveLog(openLevelLog)
