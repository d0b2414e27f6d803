/**
 * The cluster as one node knows it, and as the others say themselves: the node that is asked names
 * its peers, those whose addresses it knows are asked too. Bounded: 256 members, a few seconds each.
 */
import { z } from "zod"
import { errorMessage } from "../store/errors.ts"
import { CommandError } from "./command-error.ts"

const clusterLimits = {
  /** Members asked for their status. Past it they are only listed. */
  askedMax: 256,
  askMs: 3000,
  answerBytesMax: 8 * 1024 * 1024,
} as const

const peer = z.object({
  node: z.string().optional(),
  address: z.string().optional(),
  state: z.string(),
  sinceMs: z.number(),
  behind: z.number(),
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
  forks: z.array(z.unknown()).optional(),
  partition: z
    .object({ sinceMs: z.number(), away: z.array(z.string()), back: z.array(z.string()) })
    .optional(),
  version: z.string().optional(),
  uptimeSeconds: z.number().optional(),
})

export type SaidStatus = z.infer<typeof status>
export type SaidPeer = z.infer<typeof peer>

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
  const self = { node: first.status.node, address: base, known: undefined, ...first }
  const known = first.status.peers.filter(({ state }) => state !== "self")
  const others = await Promise.all(
    known.map(async (one, index): Promise<Member> => {
      const address = one.address?.replace(/^ws/, "http")
      const isAsked = address !== undefined && index < clusterLimits.askedMax
      const said = isAsked ? await ask(address) : { status: undefined, failed: undefined }
      return { node: one.node ?? said.status?.node, address, known: one, ...said }
    }),
  )
  return [self, ...merged(others)]
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
