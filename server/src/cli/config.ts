/** What `causeway serve` runs with: flags over environment over file over defaults. */
import type { Authenticate } from "../auth/authenticate.ts"
import { jwtAuthenticate } from "../auth/jwt.ts"
import type { NodeOptions } from "../node.ts"
import type { LogLevel } from "../observe/log.ts"
import { StartError } from "../start-error.ts"
import { clusterSecret, secretFrom, tokenSecret } from "./secret.ts"
import { defaults, peersMax, readers } from "./settings.ts"
import type { Settings } from "./settings.ts"

export type ServeConfig = Omit<NodeOptions, "log"> & { readonly logLevel: LogLevel }

/** Flags as given, by their names. */
export type Flags = {
  readonly [Name in Exclude<keyof Settings, "peer">]?: string
} & { readonly peer?: readonly string[] }

/** Secrets can also come by environment, as flags show in lists of processes. */
export const adminTokenVariable = "CAUSEWAY_ADMIN_TOKEN"

/** @throws StartError `bad-config` */
export async function loadConfig(
  flags: Flags,
  file?: string,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): Promise<ServeConfig> {
  const given = checkFlags(flags)
  const written = await fromFile(file)
  return {
    listen: given.listen ?? written.listen ?? readers.listen(defaults.listen),
    store: storeFrom(given, written),
    node: given.node ?? written.node,
    cluster: given.cluster ?? written.cluster ?? defaults.cluster,
    secret: secretFrom(clusterSecret, env, given["secret-file"], written["secret-file"]),
    authenticate: authenticateFrom(given, env, written),
    advertise: given.advertise ?? written.advertise,
    pushDelayMs: given["push-delay"] ?? written["push-delay"],
    peers: given.peer ?? written.peer ?? [],
    logBytesMax: settled("log-bytes-max", given, written),
    logAgeMsMax: settled("log-age-max", given, written),
    adminToken: adminTokenFrom(given, env, written),
    logLevel: given["log-level"] ?? written["log-level"] ?? defaults["log-level"],
  }
}

/** Undefined where the variable is not set or empty. @throws StartError `bad-config` */
export function adminTokenOf(env: Readonly<NodeJS.ProcessEnv>): string | undefined {
  const text = env[adminTokenVariable]
  if (text === undefined || text === "") return undefined
  return checkedText(adminTokenVariable, text, readers["admin-token"])
}

function storeFrom(given: Settings, written: Settings): ServeConfig["store"] {
  const type = given.store ?? written.store ?? defaults.store
  const directory = given.data ?? written.data ?? defaults.data
  return type === "memory" ? { type } : { type, directory }
}

function settled(
  name: "log-bytes-max" | "log-age-max",
  given: Settings,
  written: Settings,
): number {
  return given[name] ?? written[name] ?? readers[name](defaults[name])
}

function adminTokenFrom(
  given: Settings,
  env: Readonly<NodeJS.ProcessEnv>,
  written: Settings,
): string | undefined {
  return given["admin-token"] ?? adminTokenOf(env) ?? written["admin-token"]
}

function authenticateFrom(
  given: Settings,
  env: Readonly<NodeJS.ProcessEnv>,
  written: Settings,
): Authenticate | undefined {
  const name = "token-secret-file"
  const secret = secretFrom(tokenSecret, env, given[name], written[name])
  return secret === undefined ? undefined : jwtAuthenticate(secret)
}

/** Its schema library is not small, and most nodes have no file. */
async function fromFile(file: string | undefined): Promise<Settings> {
  if (file === undefined) return {}
  const { readConfigFile } = await import("./config-file.ts")
  return readConfigFile(file)
}

function checkFlags(flags: Flags): Settings {
  const { peer } = flags
  if ((peer?.length ?? 0) > peersMax) throw badFlag("peer", `at most ${peersMax} peers`)
  return {
    listen: checked("listen", flags.listen, readers.listen),
    data: checked("data", flags.data, readers.data),
    node: checked("node", flags.node, readers.node),
    peer: peer?.map((address) => checkedText("peer", address, readers.peer)),
    cluster: checked("cluster", flags.cluster, readers.cluster),
    "secret-file": checked("secret-file", flags["secret-file"], readers["secret-file"]),
    "token-secret-file": checked(
      "token-secret-file",
      flags["token-secret-file"],
      readers["token-secret-file"],
    ),
    advertise: checked("advertise", flags.advertise, readers.advertise),
    "push-delay": checked("push-delay", flags["push-delay"], readers["push-delay"]),
    store: checked("store", flags.store, readers.store),
    "log-bytes-max": checked("log-bytes-max", flags["log-bytes-max"], readers["log-bytes-max"]),
    "log-age-max": checked("log-age-max", flags["log-age-max"], readers["log-age-max"]),
    "admin-token": checked("admin-token", flags["admin-token"], readers["admin-token"]),
    "log-level": checked("log-level", flags["log-level"], readers["log-level"]),
  }
}

type Reader<Value> = (text: string) => Value

function checked<Value>(
  name: string,
  text: string | undefined,
  reader: Reader<Value>,
): Value | undefined {
  return text === undefined ? undefined : checkedText(name, text, reader)
}

function checkedText<Value>(name: string, text: string, reader: Reader<Value>): Value {
  try {
    return reader(text)
  } catch (error) {
    throw badFlag(name, error instanceof Error ? error.message : String(error))
  }
}

function badFlag(name: string, message: string): StartError {
  const setting = name === adminTokenVariable ? name : `--${name}`
  return new StartError("bad-config", `${setting}: ${message}`)
}
