/**
 * The import table of docs/architecture.md as data: the tree is cut into zones, and each zone
 * lists the zones, the packages and the Node modules its shipped code may import. A file in no
 * zone is a violation, so a new folder has to take its place in the table first.
 */
export type Zone = {
  readonly name: string
  readonly files: RegExp
  /** Zones this one may import from, besides itself. */
  readonly zones: readonly string[]
  /** Zones of which it may import types only. */
  readonly types: readonly string[]
  readonly packages: readonly string[]
  readonly node: boolean
}

/** What each floor of `crdt` stands on, from the ground up. */
const underClock = ["base"]
const underLog = [...underClock, "clock"]
const underEngines = [...underLog, "log"]
const underProtocol = [...underEngines, "engines"]
const underStock = [...underProtocol, "protocol"]
const underCores = [...underStock, "protocol/stock", "ports"]

/** Everything in `crdt` that ships: what the workspaces outside it may build on. */
const face = [...underCores, "node", "client", "engines/yjs", "engines/automerge"]

type Rights = Partial<Pick<Zone, "zones" | "types" | "packages" | "node">>

function zone(name: string, files: RegExp, rights: Rights = {}): Zone {
  return { name, files, zones: [], types: [], packages: [], node: false, ...rights }
}

const http = ["hono", "@hono/node-server"]
const stores = ["better-sqlite3", "level"]
const observing = ["pino", "prom-client"]
const serverPackages = ["ws", ...http, ...stores, ...observing, "commander", "zod", "jose"]
const hocuspocus = ["server", "provider", "extension-redis", "extension-sqlite"].map(
  (name) => `@hocuspocus/${name}`,
)
const peers = [...hocuspocus, "@y/websocket-server", "y-websocket", "y-protocols"]
const faults = ["toxiproxy-node-client", "pure-rand"]
const benchPackages = [...peers, ...faults, "ws", "yjs", "lib0", "commander"]
const yjs = ["yjs", "lib0"]
const automerge = ["@automerge/automerge"]
const codemirror = ["codemirror", "@codemirror/state", "@codemirror/view", "y-codemirror.next"]
const hashes = ["@noble/hashes"]
const simPackages = [...yjs, ...automerge, ...hashes, "pure-rand"]

/** The first zone whose pattern fits a file is its zone, so narrower patterns stand first. */
const zones: readonly Zone[] = [
  zone("base", /^crdt\/src\/base\//),
  zone("clock", /^crdt\/src\/clock\//, { zones: underClock }),
  zone("log", /^crdt\/src\/log\//, { zones: underLog, packages: hashes }),
  zone("engines/yjs", /^crdt\/src\/engines\/yjs\//, {
    zones: underProtocol,
    packages: [...yjs, ...hashes],
  }),
  zone("engines/automerge", /^crdt\/src\/engines\/automerge\//, {
    zones: underProtocol,
    packages: [...automerge, ...hashes],
  }),
  zone("engines", /^crdt\/src\/engines\//, { zones: underEngines, packages: hashes }),
  zone("protocol/stock", /^crdt\/src\/protocol\/stock\//, { zones: underStock }),
  zone("protocol", /^crdt\/src\/protocol\//, { zones: underProtocol }),
  zone("ports", /^crdt\/src\/ports\//, { zones: underEngines, types: ["engines", "protocol"] }),
  zone("node", /^crdt\/src\/node\//, { zones: underCores, packages: hashes }),
  zone("client", /^crdt\/src\/client\//, { zones: underCores }),
  zone("testing", /^crdt\/src\/testing\//, {
    zones: face,
    packages: [...yjs, ...automerge, ...hashes, "vitest", "fast-check"],
    node: true,
  }),
  zone("server", /^server\/(?:src|bin)\//, { zones: face, packages: serverPackages, node: true }),
  zone("client-sdk (node)", /^client-sdk\/src\/(?:.*\/)?[^/]+\.node\.ts$/, {
    zones: [...face, "client-sdk"],
    packages: [...yjs, ...automerge, "level"],
    node: true,
  }),
  zone("client-sdk (react)", /^client-sdk\/src\/react\//, {
    zones: [...face, "client-sdk"],
    packages: ["react", "@automerge/automerge", "yjs"],
  }),
  zone("client-sdk", /^client-sdk\/src\//, {
    zones: face,
    packages: [...yjs, ...automerge, "level"],
  }),
  zone("client-sdk (tools)", /^client-sdk\/tools\//, {
    zones: ["base", "protocol", "client"],
    packages: ["esbuild", "vite"],
    node: true,
  }),
  zone("client-sdk (examples)", /^client-sdk\/examples\//, {
    zones: ["client-sdk", "client-sdk (node)", "client-sdk (react)"],
    packages: [...codemirror, "react", "react-dom", "esbuild"],
    node: true,
  }),
  zone("sim (shell)", /^sim\/src\/(?:cli|report|swarm|mutants)(?:\.ts$|[-/])/, {
    zones: [...face, "testing", "sim"],
    packages: [...simPackages, "commander", "cli-progress"],
    node: true,
  }),
  zone("sim", /^sim\/src\//, { zones: [...face, "testing"], packages: simPackages }),
  zone("demo", /^sim\/(?:demo|e2e)\//, {
    zones: [...face, "client-sdk", "client-sdk (node)", "sim", "sim (shell)"],
    packages: [...simPackages, "commander", "cli-progress", "ws", "y-websocket", "y-protocols"],
    node: true,
  }),
  zone("bench", /^bench\/src\//, {
    zones: [...face, "client-sdk", "client-sdk (node)", "server"],
    packages: benchPackages,
    node: true,
  }),
  zone("tidy", /^(?:tidy\/|tidy\.test\.ts$|[^/]+\.config\.ts$)/, {
    packages: ["vitest"],
    node: true,
  }),
]

export function zoneOf(path: string): Zone | undefined {
  return zones.find((candidate) => candidate.files.test(path))
}

/** Where the packages of this repository live, by the name they are imported under. */
export const workspaces: Readonly<Record<string, string>> = {
  "@causeway/crdt": "crdt/src",
  "@causeway/server": "server/src",
  "@causeway/client": "client-sdk/src",
  "@causeway/sim": "sim/src",
  "@causeway/bench": "bench/src",
}
