/**
 * What `causeway serve` runs with: flags over the configuration file over defaults. The file is
 * JSON with the names of the flags; a key it does not know is an error, so a misspelt one is
 * noticed.
 */
import { readFileSync } from "node:fs"
import { parseNodeId } from "@causeway/crdt/base"
import { z } from "zod"
import { parseListenAddress, parsePeerAddress } from "../address.ts"
import type { NodeOptions } from "../node.ts"
import { logLevels } from "../observe/log.ts"
import type { LogLevel } from "../observe/log.ts"
import { storeTypes } from "../open-store.ts"
import { StartError } from "../start-error.ts"

export const defaults = {
  listen: "127.0.0.1:8642",
  data: "./data",
  cluster: "causeway",
  store: "sqlite",
  "log-level": "info",
} as const

export const peersMax = 63
const configFileBytesMax = 1024 * 1024

const listen = z.string().transform((text, context) => {
  const address = parseListenAddress(text)
  if (address !== undefined) return address
  return fail(context, `"${text}" is not HOST:PORT, such as ${defaults.listen}`)
})

const node = z.string().transform((text, context) => {
  const id = parseNodeId(text)
  return id ?? fail(context, `"${text}" is not a node id: 1 to 64 of A-Z a-z 0-9 _ . -`)
})

const peer = z.string().transform((text, context) => {
  const address = parsePeerAddress(text)
  return address ?? fail(context, `"${text}" is not a peer's address, such as ws://10.0.0.2:8642`)
})

const settings = z.strictObject({
  listen: listen.optional(),
  data: z.string().min(1).optional(),
  node: node.optional(),
  peer: z.union([z.array(peer).max(peersMax), peer.transform((only) => [only])]).optional(),
  cluster: z.string().min(1).max(64).optional(),
  store: z.enum(storeTypes).optional(),
  "log-level": z.enum(logLevels).optional(),
})

type Settings = z.infer<typeof settings>

export type ServeConfig = Omit<NodeOptions, "log"> & { readonly logLevel: LogLevel }

/** `flags`: by their names, without `config`. @throws StartError `bad-config` */
export function loadConfig(flags: Readonly<Record<string, unknown>>, file?: string): ServeConfig {
  const fromFile = file === undefined ? {} : check(readConfigFile(file), `in ${file}: `, "")
  const { data, store, ...rest } = {
    ...check(defaults, "", ""),
    ...fromFile,
    ...check(flags, "", "--"),
  }
  return {
    listen: rest.listen ?? { host: "127.0.0.1", port: 8642 },
    store: store === "memory" ? { type: store } : { type: "sqlite", directory: data ?? "./data" },
    node: rest.node,
    cluster: rest.cluster ?? defaults.cluster,
    peers: rest.peer ?? [],
    logLevel: rest["log-level"] ?? defaults["log-level"],
  }
}

function readConfigFile(file: string): unknown {
  let text
  try {
    text = readFileSync(file, "utf8")
  } catch (error) {
    throw new StartError("bad-config", `cannot read the configuration file: ${messageOf(error)}`)
  }
  if (text.length > configFileBytesMax) {
    throw new StartError("bad-config", `the configuration file ${file} is too large`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new StartError("bad-config", `${file} is not JSON: ${messageOf(error)}`)
  }
}

function check(input: unknown, where: string, prefix: string): Settings {
  const result = settings.safeParse(input)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw new StartError("bad-config", `${where}${issue === undefined ? "" : say(issue, prefix)}`)
}

/** One issue as one sentence. */
function say(issue: z.core.$ZodIssue, prefix: string): string {
  const name = `${prefix}${issue.path.join(".")}`
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys(settings.shape).join(", ")
    return `there is no setting "${issue.keys.join('", "')}"; the settings are: ${known}`
  }
  if (issue.path.length === 0) return "the configuration must be a JSON object"
  if (issue.code === "invalid_union") {
    const inner =
      issue.errors.flat().find(({ code }) => code === "custom") ?? issue.errors.flat()[0]
    return `${name}: ${inner?.message ?? issue.message}`
  }
  if (issue.code === "invalid_value") return `${name} must be one of: ${issue.values.join(", ")}`
  return `${name}: ${issue.message}`
}

function fail(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: "custom", message })
  return z.NEVER
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll("\n", " ")
}
