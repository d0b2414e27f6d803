/**
 * The settings of a node as text: flags and the configuration file share these names, defaults
 * and checks. A bad value is a TypeError whose message says what would be a good one.
 */
import { limits, parseNodeId } from "@causeway/crdt/base"
import type { Millis, NodeId } from "@causeway/crdt/base"
import { parseListenAddress, parsePeerAddress } from "../address.ts"
import type { ListenAddress } from "../address.ts"
import { logLevels } from "../observe/log.ts"
import type { LogLevel } from "../observe/log.ts"
import { storeTypes } from "../open-store.ts"
import type { StoreChoice } from "../open-store.ts"
import { readAge, readSize } from "./quantities.ts"

export const defaults = {
  listen: "127.0.0.1:8642",
  data: "./data",
  cluster: "causeway",
  store: "sqlite",
  "log-bytes-max": "1GiB",
  "log-age-max": "7d",
  "log-level": "info",
} as const

export const peersMax = 63
const clusterCharactersMax = 64
/** Shorter ones could be guessed. */
export const secretBytesMin = 16
/** As RFC 7518 §3.2 wants it of HS256. */
export const tokenSecretBytesMin = 32
export const secretBytesMax = 4096
const adminTokenCharactersMin = 16
/** Less would be folded again and again, and members that restart would be left behind. */
const logBytesMin = 1024 * 1024
const logAgeMsMin = 60_000

export type Settings = {
  readonly listen?: ListenAddress | undefined
  readonly data?: string | undefined
  readonly node?: NodeId | undefined
  readonly peer?: readonly string[] | undefined
  readonly cluster?: string | undefined
  readonly "secret-file"?: string | undefined
  readonly "token-secret-file"?: string | undefined
  readonly advertise?: string | undefined
  readonly "push-delay"?: number | undefined
  readonly store?: StoreChoice["type"] | undefined
  readonly "log-bytes-max"?: number | undefined
  readonly "log-age-max"?: Millis | undefined
  readonly "admin-token"?: string | undefined
  readonly "log-level"?: LogLevel | undefined
}

/** One value of each setting; `peer` can be given several times. */
export const readers = {
  listen: (text: string): ListenAddress => {
    const address = parseListenAddress(text)
    return address ?? fail(`"${text}" is not HOST:PORT, such as ${defaults.listen}`)
  },
  data: (text: string): string => (text === "" ? fail("the data folder needs a name") : text),
  node: (text: string): NodeId =>
    parseNodeId(text) ?? fail(`"${text}" is not a node id: 1 to 64 of A-Z a-z 0-9 _ . -`),
  peer: (text: string): string => {
    const address = parsePeerAddress(text)
    return address ?? fail(`"${text}" is not a peer's address, such as ws://10.0.0.2:8642`)
  },
  cluster: (text: string): string => {
    const isName = text !== "" && text.length <= clusterCharactersMax
    return isName ? text : fail(`a cluster's name has 1 to ${clusterCharactersMax} characters`)
  },
  "secret-file": (text: string): string => fileNamed(text),
  "token-secret-file": (text: string): string => fileNamed(text),
  advertise: (text: string): string => {
    const address = parsePeerAddress(text)
    return address ?? fail(`"${text}" is not where peers could dial, such as ws://10.0.0.2:8642`)
  },
  "push-delay": (text: string): number => {
    const ms = /^[0-9]{1,6}$/.test(text) ? Number(text) : Infinity
    const rule = `milliseconds, a whole number from 0 to ${limits.pushDelayMsMax}`
    return ms <= limits.pushDelayMsMax ? ms : fail(`"${text}" is not ${rule}`)
  },
  store: (text: string) => oneOf(storeTypes, text),
  "log-bytes-max": (text: string): number => {
    const bytes = readSize(text)
    const isSize = bytes !== undefined && bytes >= logBytesMin
    return isSize ? bytes : fail(`"${text}" is not a size of 1MiB or more, such as 512MiB or 1GiB`)
  },
  "log-age-max": (text: string): Millis => {
    const ageMs = readAge(text)
    const isAge = ageMs !== undefined && ageMs >= logAgeMsMin
    return isAge ? ageMs : fail(`"${text}" is not an age of 1m or more, such as 90m, 36h or 7d`)
  },
  "admin-token": (text: string): string => {
    // What a header can carry. The value itself is not repeated: messages end up in logs.
    const isToken = /^[\x21-\x7e]*$/.test(text) && text.length >= adminTokenCharactersMin
    const rule = `${adminTokenCharactersMin} or more characters of ASCII without spaces`
    return isToken ? text : fail(`an admin token has ${rule}`)
  },
  "log-level": (text: string) => oneOf(logLevels, text),
} as const satisfies { readonly [Name in keyof Settings]-?: (text: string) => unknown }

export const settingNames: readonly string[] = Object.keys(readers)

function fileNamed(text: string): string {
  return text === "" ? fail("the file needs a name") : text
}

function oneOf<Value extends string>(values: readonly Value[], text: string): Value {
  const value = values.find((candidate) => candidate === text)
  return value ?? fail(`"${text}" is not one of: ${values.join(", ")}`)
}

function fail(message: string): never {
  throw new TypeError(message)
}
