/**
 * The servers that are compared: how each is started, spoken to, and what it claims to keep. All
 * run as a process of their own on this machine, under the same Node as the benchmark, with the
 * settings they are shipped with.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { WireName } from "../load/wire.ts"
import { host } from "../peers/arguments.ts"

/** The folder that holds all packages and the dependencies they share. */
export const repositoryRoot: string = fileURLToPath(new URL("../../..", import.meta.url))
const peersFolder = fileURLToPath(new URL("../peers", import.meta.url))

export const serverNames = [
  "causeway",
  "hocuspocus",
  "hocuspocus-sqlite",
  "y-websocket",
  "relay",
] as const

export type ServerName = (typeof serverNames)[number]

export type ServerSpec = {
  readonly name: ServerName
  readonly label: string
  readonly wire: WireName
  /** Where documents are after a restart. */
  readonly keeps: "disk" | "memory" | "nothing"
  /** Whether it promises that an update a reader has seen survives a crash. */
  readonly durable: boolean
  /** Path between the port and the room's name. */
  readonly path: string
  /** Path of a native protocol with acks of its own. */
  readonly nativePath?: string
  /** The line on stdout that says it serves. */
  readonly ready: RegExp
  /** A file without which it cannot run; a server that is not there is left out, not failed. */
  readonly needs: string
  /** The program and its arguments, for Node. */
  launch(port: number, folder: string): readonly string[]
}

function peer(file: string): { needs: string; launch: ServerSpec["launch"] } {
  const needs = join(peersFolder, file)
  return { needs, launch: (port, folder) => [needs, String(port), folder] }
}

const causewayProgram = join(repositoryRoot, "server", "bin", "causeway.js")

const readyLine = /^ready ws:/m

const specs: readonly ServerSpec[] = [
  {
    name: "causeway",
    label: "Causeway, SQLite, fsync",
    wire: "y-websocket",
    keeps: "disk",
    durable: true,
    path: "/yjs/",
    nativePath: "/sync",
    ready: readyLine,
    needs: causewayProgram,
    launch: (port, folder) => {
      const listen = ["--listen", `${host}:${port}`]
      const store = ["--data", folder, "--node", "bench", "--store", "sqlite"]
      return [causewayProgram, "serve", ...listen, ...store]
    },
  },
  {
    name: "hocuspocus",
    label: "Hocuspocus, memory",
    wire: "hocuspocus",
    keeps: "memory",
    durable: false,
    path: "/",
    ready: readyLine,
    ...peer("hocuspocus.ts"),
  },
  {
    name: "hocuspocus-sqlite",
    label: "Hocuspocus, SQLite",
    wire: "hocuspocus",
    keeps: "disk",
    durable: false,
    path: "/",
    ready: readyLine,
    ...peer("hocuspocus-sqlite.ts"),
  },
  {
    name: "y-websocket",
    label: "y-websocket-server, memory",
    wire: "y-websocket",
    keeps: "memory",
    durable: false,
    path: "/",
    ready: /^running at/m,
    ...peer("y-websocket.ts"),
  },
  {
    name: "relay",
    label: "bare ws relay",
    wire: "relay",
    keeps: "nothing",
    durable: false,
    path: "/",
    ready: readyLine,
    ...peer("relay.ts"),
  },
]

/** Whether `name` is a server of the catalog. */
export function isServerName(name: string): name is ServerName {
  return serverNames.some((known) => known === name)
}

/** The server called `name`; @throws TypeError when there is none. */
export function serverSpec(name: ServerName): ServerSpec {
  const spec = specs.find((candidate) => candidate.name === name)
  if (spec === undefined) throw new TypeError(`no server is called ${name}`)
  return spec
}

/** Why `spec` cannot run here, if it cannot. */
export function whyMissing(spec: ServerSpec): string | undefined {
  return existsSync(spec.needs) ? undefined : `${spec.needs} does not exist`
}
