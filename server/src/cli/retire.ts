/**
 * `causeway retire NODE`: tells a cluster, by any of its nodes, that a node will not come back as
 * it was. It counts no more for quorums; should it come back, it loses nothing. Rules [M4]–[M6].
 */
import { z } from "zod"
import { errorMessage } from "../store/errors.ts"
import { CommandError } from "./command-error.ts"
import { adminHeaders, httpBase } from "./node-address.ts"

export type RetireOptions = { readonly url: string; readonly adminToken?: string }

/** Longer than the node takes at most. */
const answerMs = 30_000

const retired = z.object({ origins: z.array(z.string()) })
const refused = z.object({ error: z.object({ message: z.string() }) })

export async function retire(node: string, { url, adminToken }: RetireOptions): Promise<number> {
  const target = `${httpBase(url)}/v1/members/retire`
  const response = await post(target, adminHeaders(adminToken), { node })
  const body = parsed(await response.text())
  const answer = retired.safeParse(body)
  if (response.ok && answer.success) {
    process.stdout.write(`${node} is retired: ${answer.data.origins.join(", ")}\n`)
    process.stdout.write(`take its address out of the --peer of all others\n`)
    return 0
  }
  const told = refused.safeParse(body)
  const why = told.success ? told.data.error.message : "this is no answer of a node"
  throw new CommandError(`${target} answered ${response.status}: ${why}`)
}

async function post(
  target: string,
  headers: Readonly<Record<string, string>>,
  body: unknown,
): Promise<Response> {
  try {
    return await fetch(target, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    })
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    throw new CommandError(`cannot reach ${target}: ${errorMessage(cause)}`)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
