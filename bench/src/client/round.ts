/**
 * One round in a process of its own, as an app is one: `round.ts NAME FOLDER full|quick` prints the
 * run as JSON on its last line.
 */
import { killAllServers } from "../servers/server-process.ts"
import { measurements } from "./measurements.ts"
import { fullScale, quickScale } from "./scale.ts"

const [wanted, folder = "", size] = process.argv.slice(2)
const measurement = measurements.find(({ name }) => name === wanted)
if (measurement === undefined) throw new Error(`there is no measurement ${wanted}`)
process.on("exit", killAllServers)
process.on("SIGTERM", () => process.exit(1))
const run = await measurement.run({ folder, scale: size === "quick" ? quickScale : fullScale })
process.stdout.write(`${JSON.stringify(run)}\n`)
