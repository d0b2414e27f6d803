/**
 * Who takes part: a server, how several of it make a cluster, and the client that speaks to it. For
 * Causeway the same server stands twice, with its own SDK and with the stock y-websocket client.
 */
import { mkdir } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { join } from "node:path"
import { serverSpec } from "../servers/catalog.ts"
import type { ServerSpec } from "../servers/catalog.ts"
import { Cables } from "./cables.ts"
import { hocuspocusClient, sdkClient, yWebsocketClient } from "./clients.ts"
import type { Connect } from "./clients.ts"
import { Cluster } from "./cluster.ts"
import { sendHocuspocus, sendNative, sendYWebsocket } from "./raw-writers.ts"
import type { SendRaw } from "./raw-writers.ts"
import { RedisServer } from "./redis.ts"

export const contenderNames = ["hocuspocus", "causeway-sdk", "causeway-y-websocket"] as const

export type ContenderName = (typeof contenderNames)[number]

export type Contender = {
  readonly name: ContenderName
  readonly label: string
  /** Whether it is ours: any finding fails the command. */
  readonly ours: boolean
  /** Whether several of it need Redis. */
  readonly needsRedis: boolean
  readonly connect: Connect
  readonly sendRaw: SendRaw
  /** One server over `folder`. */
  readonly alone: (folder: string) => Cluster
  /** Several servers below `folder`; clients use the first two. */
  readonly cluster: (folder: string) => Promise<Cluster>
}

/** Without a name of its own it takes the one its data has, as a server over a copy must. */
const causewaySpec: ServerSpec = {
  ...serverSpec("causeway"),
  launch: (port, folder) => {
    const args = serverSpec("causeway").launch(port, folder)
    const name = args.indexOf("--node")
    return args.filter((_, index) => name === -1 || index < name || index > name + 1)
  },
}

const causeway = {
  ours: true,
  needsRedis: false,
  alone: (folder: string) => single(causewaySpec, folder),
  cluster: causewayCluster,
} as const

const all: readonly Contender[] = [
  {
    name: "hocuspocus",
    label: "Hocuspocus + Redis + SQLite (HocuspocusProvider)",
    ours: false,
    needsRedis: true,
    connect: hocuspocusClient,
    sendRaw: sendHocuspocus,
    alone: (folder) => single(serverSpec("hocuspocus-sqlite"), folder),
    cluster: hocuspocusCluster,
  },
  {
    name: "causeway-sdk",
    label: "Causeway (native SDK)",
    connect: sdkClient,
    sendRaw: sendNative,
    ...causeway,
  },
  {
    name: "causeway-y-websocket",
    label: "Causeway (y-websocket)",
    connect: yWebsocketClient,
    sendRaw: sendYWebsocket,
    ...causeway,
  },
]

export function isContenderName(name: string): name is ContenderName {
  return contenderNames.some((known) => known === name)
}

/** @throws TypeError when nobody is called so. */
export function contenderOf(name: ContenderName): Contender {
  const contender = all.find((candidate) => candidate.name === name)
  if (contender === undefined) throw new TypeError(`no contender is called ${name}`)
  return contender
}

function single(spec: ServerSpec, folder: string): Cluster {
  return new Cluster({ members: [{ spec, folder }], network: undefined })
}

const causewayNodes = 3

/** Three nodes with a folder each, every one dialling the others through a cable of its own. */
async function causewayCluster(folder: string): Promise<Cluster> {
  const cables = await Cables.lay(causewayNodes)
  const members = await Promise.all(
    Array.from({ length: causewayNodes }, async (_, index) => {
      const own = join(folder, `node-${index}`)
      await mkdir(own)
      const peers = cables.urlsOf(index).flatMap((url) => ["--peer", url])
      const launch: ServerSpec["launch"] = (port, data) => [
        ...causewaySpec.launch(port, data),
        ...peers,
      ]
      return { spec: { ...causewaySpec, launch }, folder: own }
    }),
  )
  const onStarted = (index: number, { baseUrl }: { baseUrl: string }): void =>
    cables.connect(index, Number(new URL(baseUrl).port))
  return new Cluster({ members, network: cables, onStarted })
}

/** Two instances, one Redis, one SQLite file that both write, as their documentation has it. */
async function hocuspocusCluster(folder: string): Promise<Cluster> {
  const redis = await RedisServer.start(folder)
  const needs = fileURLToPath(new URL("../peers/hocuspocus-redis.ts", import.meta.url))
  const spec: ServerSpec = {
    ...serverSpec("hocuspocus-sqlite"),
    needs,
    launch: (port, data) => [needs, String(port), data, String(redis.port)],
  }
  const member = { spec, folder }
  return new Cluster({ members: [member, member], network: redis })
}
