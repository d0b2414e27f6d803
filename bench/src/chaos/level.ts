/** The end of a heal: nodes hold the same, clients are at rest, and all show the same. */
import { check } from "./checks.ts"
import type { Content, Showing } from "./checks.ts"
import type { Cluster } from "./cluster.ts"
import { keyOf } from "./ledger.ts"
import type { DocumentName, Ledger } from "./ledger.ts"
import type { Resident } from "./resident.ts"
import { contentOn, unequal, vectorOf } from "./status.ts"
import { Broken } from "./violation.ts"
import type { Rule, Violation } from "./violation.ts"
import { TooLate, until } from "./wait.ts"

/** From the end of all faults; back-offs of links and clients are seconds long. */
const healMsMax = 60_000
/** y-websocket calls a connection dead after 30 s without a message. */
const drainMsMax = 60_000
/** For what is under way to clients to arrive. */
const settleMsMax = 20_000

/** All nodes hold every entry that any of them has. @throws Broken */
export async function level({ nodes }: Cluster, signal: AbortSignal): Promise<void> {
  let why = "not looked yet"
  const isLevel = async () => {
    try {
      const vectors = await Promise.all(
        nodes.map(async (node) => [node.name, await vectorOf(node)] as const),
      )
      const difference = unequal(new Map(vectors))
      why = difference ?? ""
      return difference === undefined
    } catch (error) {
      why = String(error)
      return false
    }
  }
  await inTime("not-level", () => why, isLevel, healMsMax, signal)
}

/** Residents are connected, and nothing of theirs is unacked. @throws Broken */
export async function drained(residents: readonly Resident[], signal: AbortSignal): Promise<void> {
  const unrest = () =>
    residents.map((resident) => resident.unrest()).find((why) => why !== undefined)
  await inTime(
    "not-drained",
    () => unrest() ?? "",
    () => unrest() === undefined,
    drainMsMax,
    signal,
  )
}

export type Looks = {
  readonly cluster: Cluster
  readonly clients: readonly Resident[]
  readonly ledger: Ledger
  readonly mayLackDeletions: (document: DocumentName) => boolean
}

/**
 * What is broken of these documents. Looks again for a while, as updates may be under way; what
 * is found then stays. All that is shown is proved for every node.
 */
export async function inspect(
  looks: Looks,
  documents: readonly DocumentName[],
  signal: AbortSignal,
): Promise<Violation[]> {
  const { ledger } = looks
  const violations: Violation[] = []
  for (const document of documents) {
    let found: Violation[] = []
    const isFine = async () => {
      const showing = await look(looks, document)
      found = check(showing, ledger)
      return found.length === 0
    }
    await until(keyOf(document), isFine, { timeoutMs: settleMsMax, everyMs: 250, signal }).catch(
      (error: unknown) => {
        if (!(error instanceof TooLate)) throw error
      },
    )
    violations.push(...found)
  }
  return violations
}

async function look(
  { cluster, clients, ledger, mayLackDeletions }: Looks,
  document: DocumentName,
): Promise<Showing> {
  const nodes = new Map<string, Content>()
  for (const node of cluster.nodes) nodes.set(node.name, await contentOn(node, document))
  const shows = new Map<string, Content>()
  for (const client of clients) {
    const shown = client.shown(document)
    if (shown !== undefined) shows.set(client.name, shown)
  }
  ledger.onShown(nodes)
  return { document, nodes, clients: shows, mayLackDeletions: mayLackDeletions(document) }
}

async function inTime(
  rule: Rule,
  why: () => string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await until(why, condition, { timeoutMs, everyMs: 50, signal })
  } catch (error) {
    if (error instanceof TooLate) throw new Broken(rule, error.message, error)
    throw error
  }
}
