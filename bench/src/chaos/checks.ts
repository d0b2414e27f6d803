/**
 * What must be true once all is healed and quiet: every node shows the same, with every write
 * that anybody was promised, was shown or holds, and with none that nobody made; clients show what
 * nodes show. It judges what it is given, and touches nothing.
 */
import { canonical, tokensIn } from "./content.ts"
import { dutyOf, keyOf } from "./ledger.ts"
import type { DocumentName, Duty, Ledger } from "./ledger.ts"
import type { Rule, Violation } from "./violation.ts"

export type Content = Readonly<Record<string, unknown>>

/** One document as everybody shows it. */
export type Showing = {
  readonly document: DocumentName
  readonly nodes: ReadonlyMap<string, Content>
  readonly clients: ReadonlyMap<string, Content>
  /**
   * A disk was lost since its clients opened it: of Yjs documents the SDK does not bring back
   * deletions that only that disk had (client-sdk/README.md), so tokens alone are compared.
   */
  readonly mayLackDeletions: boolean
}

const rules: Readonly<Record<Duty, Rule>> = {
  acked: "acked-lost",
  seen: "seen-lost",
  held: "held-lost",
}

/** Tokens named in one message. */
const namedMax = 5

export function check(showing: Showing, ledger: Ledger): Violation[] {
  return [
    ...lost(showing, ledger),
    ...invented(showing, ledger),
    ...nodesThatDiffer(showing),
    ...clientsThatDiffer(showing),
  ]
}

function lost({ document, nodes }: Showing, ledger: Ledger): Violation[] {
  const found: Violation[] = []
  for (const [node, content] of nodes) {
    const shown = new Set(tokensIn(content))
    const missing = new Map<Duty, string[]>()
    for (const write of ledger.of(document)) {
      const duty = dutyOf(write)
      if (duty === undefined || shown.has(write.token)) continue
      const at = (write.atMs / 1000).toFixed(1)
      const proofs = [...write.proved].join("")
      const promise = `${write.acked ?? "no ack"}, by ${proofs}`
      const word = `${write.token} (${write.writer}, ${at} s, ${promise})`
      missing.set(duty, [...(missing.get(duty) ?? []), word])
    }
    for (const [duty, tokens] of missing) {
      const message = `${node} lacks ${some(tokens)} of ${keyOf(document)}`
      found.push({ rule: rules[duty], message })
    }
  }
  return found
}

function invented({ document, nodes, clients }: Showing, ledger: Ledger): Violation[] {
  return [...nodes, ...clients].flatMap(([who, content]): Violation[] => {
    const unknown = tokensIn(content).filter((token) => !ledger.has(token))
    if (unknown.length === 0) return []
    const message = `${who} shows ${some(unknown)} in ${keyOf(document)}, which nobody wrote`
    return [{ rule: "phantom", message }]
  })
}

function nodesThatDiffer({ document, nodes }: Showing): Violation[] {
  const [first, ...others] = nodes
  if (first === undefined) return []
  const expected = canonical(first[1])
  return others.flatMap(([node, content]): Violation[] => {
    if (canonical(content) === expected) return []
    const message = `${keyOf(document)} on ${node} is not what ${first[0]} has: ${differenceOf(
      first[1],
      content,
    )}`
    return [{ rule: "nodes-differ", message }]
  })
}

function clientsThatDiffer({ document, nodes, clients, mayLackDeletions }: Showing): Violation[] {
  const [expected] = nodes.values()
  if (expected === undefined) return []
  const onlyTokens = mayLackDeletions && document.engine === "yjs"
  const view = (content: Content) => {
    return onlyTokens ? canonical(tokensIn(content).sort(ascending)) : canonical(content)
  }
  return [...clients].flatMap(([client, content]): Violation[] => {
    if (view(content) === view(expected)) return []
    const difference = differenceOf(expected, content)
    const message = `${client} shows another ${keyOf(document)} than the nodes: ${difference}`
    return [{ rule: "clients-differ", message }]
  })
}

function ascending(left: string, right: string): number {
  return left < right ? -1 : 1
}

/** Fields that differ, and tokens that one of them lacks. */
function differenceOf(expected: Content, content: Content): string {
  const fields = new Set([...Object.keys(expected), ...Object.keys(content)])
  const differing = [...fields].filter((field) => {
    return canonical(expected[field] ?? null) !== canonical(content[field] ?? null)
  })
  const [wanted, shown] = [new Set(tokensIn(expected)), new Set(tokensIn(content))]
  const lacks = [...wanted].filter((token) => !shown.has(token))
  const more = [...shown].filter((token) => !wanted.has(token))
  const parts = [`in ${some(differing)}`]
  if (lacks.length > 0) parts.push(`lacks ${some(lacks)}`)
  if (more.length > 0) parts.push(`has ${some(more)} more`)
  return parts.join(", ")
}

function some(names: readonly string[]): string {
  const shown = names.slice(0, namedMax).join(", ")
  return names.length <= namedMax ? shown : `${shown} and ${names.length - namedMax} more`
}
