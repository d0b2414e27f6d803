/** The cluster as a table for people: one line a member, what is wrong below it. Pure. */
import type { Member, SaidStatus } from "./cluster.ts"

/** What needs looking after, one sentence each; empty if all is well. */
export function troubles(members: readonly Member[]): string[] {
  const [self] = members
  const found: string[] = []
  for (const member of members) found.push(...troublesOf(member, self?.status?.cluster))
  return found
}

function troublesOf(member: Member, cluster: string | undefined): string[] {
  const { status } = member
  const found = linkTroubles(member)
  if (status === undefined) return found
  const name = nameOf(member)
  if (status.cluster !== cluster) found.push(`${name} is of another cluster: ${status.cluster}`)
  return [...found, ...ownTroubles(name, status)]
}

function linkTroubles(member: Member): string[] {
  const { known, failed } = member
  const name = nameOf(member)
  const why = failed === undefined ? "" : `does not answer here: ${failed}`
  if (known !== undefined && known.state !== "linked") {
    const { refused } = known
    const reason = refused === undefined ? "" : `: ${refusals.get(refused) ?? refused}`
    return [`${name} is not linked with the asked node${reason}${why === "" ? "" : `, and ${why}`}`]
  }
  return failed === undefined ? [] : [`${name} is linked, but ${why}`]
}

/** Why two nodes that reach each other are not linked, in words. */
const refusals: ReadonlyMap<string, string> = new Map([
  ["link-not-authenticated", "they have different secrets, or one has none"],
  ["cluster-mismatch", "they name different clusters"],
  ["link-version-mismatch", "their versions have no link protocol in common"],
  ["retired", "one of them is retired"],
])

/** What a node says of itself. */
function ownTroubles(name: string, status: SaidStatus): string[] {
  const found: string[] = []
  if (status.store !== "ok") found.push(`${name}'s store is failing: it refuses writes`)
  else if (!status.ready) found.push(`${name} is not ready`)
  const forks = status.forks?.length ?? 0
  if (forks > 0) found.push(`${name} sees ${forks} forked ${forks === 1 ? "log" : "logs"}`)
  const differing = status.divergences?.listed.length ?? 0
  if (differing > 0) found.push(`${name} has ${differing} documents that differ from a peer's`)
  for (const twin of status.twins ?? []) {
    found.push(`${name} saw a copy, or a folder put back, run as ${twin.node} since it started`)
  }
  const lost = status.renewed?.lostCount ?? 0
  if (lost > 0) found.push(`${name} could not read ${lost} entries when it opened its store`)
  return [...found, ...splitTroubles(name, status)]
}

function splitTroubles(name: string, { partition, transfer, peers }: SaidStatus): string[] {
  const found: string[] = []
  const { away = [] } = partition ?? {}
  // A split stays on for a while after those who are back are level.
  const isBehind = (node: string) => peers.some((one) => one.node === node && one.behind > 0)
  const back = (partition?.back ?? []).filter(isBehind)
  if (away.length > 0) found.push(`${name} can't reach ${away.join(", ")}`)
  if (back.length > 0) found.push(`${name} is being levelled with ${back.join(", ")}`)
  if (transfer === undefined) return found
  const { peer, documents } = transfer
  return [...found, `${name} is being filled by ${peer}, ${documents} documents so far`]
}

function nameOf({ node, address }: Member): string {
  return node ?? address ?? "unknown"
}

const head = [
  "NODE",
  "LINK",
  "SINCE",
  "BEHIND",
  "STORE",
  "SESSIONS",
  "DOCUMENTS",
  "ORIGINS",
  "ENTRIES",
  "FORKS",
  "ADDRESS",
]

/** `nowMs`: for ages. */
export function table(members: readonly Member[], nowMs: number): string {
  const rows = [head, ...members.map((member) => rowOf(member, nowMs))]
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)))
    .map((cells) => cells.join("  ").trimEnd())
    .join("\n")
}

function rowOf(member: Member, nowMs: number): string[] {
  const { status, known, address } = member
  const isSelf = known === undefined
  const sinceMs = isSelf ? nowMs - (status?.uptimeSeconds ?? 0) * 1000 : known.sinceMs
  const seqs = Object.values(status?.vector ?? {}).filter((seq) => seq > 0)
  return [
    nameOf(member),
    isSelf ? "asked" : known.state === "linked" ? "linked" : "AWAY",
    age(nowMs - sinceMs),
    isSelf ? "-" : `${known.behind}`,
    ...(status === undefined
      ? Array.from({ length: 6 }, () => "?")
      : [
          status.store === "ok" ? "ok" : "FAILING",
          `${status.sessions}`,
          `${status.documents}`,
          `${seqs.length}`,
          `${seqs.reduce((sum, seq) => sum + seq, 0)}`,
          `${status.forks?.length ?? 0}`,
        ]),
    address ?? "-",
  ]
}

const units = [
  [86_400, "d"],
  [3600, "h"],
  [60, "m"],
] as const

/** In the largest unit of which there are two. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const unit = units.find(([length]) => seconds >= 2 * length)
  return unit === undefined ? `${seconds}s` : `${Math.floor(seconds / unit[0])}${unit[1]}`
}
