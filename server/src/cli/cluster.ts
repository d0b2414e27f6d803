/**
 * The cluster as one node knows it, and as the others say themselves: the node that is asked names
 * its peers and members, those whose addresses anybody knows are asked too. Bounded by what a node
 * may name (its links and members), and a few seconds each, all at once.
 */
import { z } from "zod"
import { errorMessage } from "../store/errors.ts"
import { CommandError } from "./command-error.ts"

const clusterLimits = {
  askMs: 3000,
  answerBytesMax: 8 * 1024 * 1024,
} as const

const peer = z.object({
  node: z.string().optional(),
  address: z.string().optional(),
  state: z.string(),
  sinceMs: z.number(),
  behind: z.number(),
  refused: z.string().optional(),
})

/** What is read of a node's status; newer nodes say more. */
const status = z.object({
  node: z.string(),
  origin: z.string(),
  cluster: z.string(),
  vector: z.record(z.string(), z.number()),
  ready: z.boolean(),
  store: z.string(),
  sessions: z.number(),
  documents: z.number(),
  peers: z.array(peer),
  members: z.object({ active: z.array(z.string()), quorum: z.number() }).optional(),
  forks: z.array(z.unknown()).optional(),
  divergences: z.object({ listed: z.array(z.unknown()) }).optional(),
  twins: z.array(z.object({ node: z.string() })).optional(),
  renewed: z.object({ lostCount: z.number() }).optional(),
  transfer: z.object({ peer: z.string(), documents: z.number() }).optional(),
  partition: z
    .object({ sinceMs: z.number(), away: z.array(z.string()), back: z.array(z.string()) })
    .optional(),
  version: z.string().optional(),
  uptimeSeconds: z.number().optional(),
})

export type SaidStatus = z.infer<typeof status>
type SaidPeer = z.infer<typeof peer>

export type Member = {
  /** Undefined for an address that was never reached. */
  readonly node: string | undefined
  /** For HTTP; undefined if nobody knows it. */
  readonly address: string | undefined
  /** How the asked node knows it; undefined for the asked node itself. */
  readonly known: SaidPeer | undefined
  /** What it says itself. */
  readonly status: SaidStatus | undefined
  /** Why it says nothing. */
  readonly failed: string | undefined
}

/** The asked node first. @throws CommandError if it does not answer */
export async function readCluster(base: string): Promise<Member[]> {
  const first = await ask(base)
  if (first.status === undefined) {
    throw new CommandError(`cannot ask ${base}: ${first.failed ?? "no answer"}`)
  }
  const self: Member = { node: first.status.node, address: base, known: undefined, ...first }
  const known = [...first.status.peers, ...unlinked(first.status)]
  const others = await Promise.all(
    known
      .filter(({ state }) => state !== "self")
      .map((one) => askMember({ ...silent, node: one.node, address: httpOf(one), known: one })),
  )
  // Who was only dialled knows no addresses; those who dialled do.
  const told = new Map<string, string>()
  for (const { status: said } of [self, ...others]) {
    for (const one of said?.peers ?? []) {
      const address = httpOf(one)
      if (one.node !== undefined && address !== undefined) told.set(one.node, address)
    }
  }
  const again = others.map(async (member) => {
    const address = member.address ?? told.get(member.node ?? "")
    return await (member.address === undefined ? askMember({ ...member, address }) : member)
  })
  return [self, ...merged(await Promise.all(again))]
}

const silent = { status: undefined, failed: undefined } as const

/** Members that the log names and no link or address does. */
function unlinked({ node, peers, members, uptimeSeconds = 0 }: SaidStatus): SaidPeer[] {
  const named = new Set(peers.map((one) => one.node))
  const rest = (members?.active ?? []).filter((name) => name !== node && !named.has(name))
  const sinceMs = Date.now() - uptimeSeconds * 1000
  return rest.map((name) => ({ node: name, state: "waiting", sinceMs, behind: 0 }))
}

function httpOf({ address }: SaidPeer): string | undefined {
  return address?.replace(/^ws/, "http")
}

async function askMember(member: Member): Promise<Member> {
  if (member.address === undefined) return member
  const said = await ask(member.address)
  return { ...member, node: member.node ?? said.status?.node, ...said }
}

/** A node known by an address and by its dialling is one member: the one that answers counts. */
function merged(members: readonly Member[]): Member[] {
  const byNode = new Map<string, Member>()
  for (const [index, member] of members.entries()) {
    const key = member.node ?? `? ${index}`
    const before = byNode.get(key)
    const isBetter = before?.status === undefined && member.status !== undefined
    const isLinked = before?.known?.state !== "linked" && member.known?.state === "linked"
    if (before === undefined) byNode.set(key, member)
    else if (isBetter || isLinked) byNode.set(key, { ...before, ...defined(member) })
  }
  return [...byNode.values()]
}

function defined(member: Member): Partial<Member> {
  return Object.fromEntries(Object.entries(member).filter(([, value]) => value !== undefined))
}

async function ask(base: string): Promise<Pick<Member, "status" | "failed">> {
  try {
    const signal = AbortSignal.timeout(clusterLimits.askMs)
    const response = await fetch(`${base}/v1/status`, { signal })
    if (!response.ok) return { status: undefined, failed: `it answered ${response.status}` }
    const length = Number(response.headers.get("content-length") ?? 0)
    if (length > clusterLimits.answerBytesMax) return { status: undefined, failed: "too long" }
    const read = status.safeParse(await response.json())
    if (read.success) return { status: read.data, failed: undefined }
    return { status: undefined, failed: "what answers there is no node" }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    return { status: undefined, failed: errorMessage(cause) }
  }
}
