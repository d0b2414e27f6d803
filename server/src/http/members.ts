/**
 * `POST /v1/members/retire` with `{"node": NAME}`: an operator says that a node will not come back
 * as it was. Answered when the record of it is durable here; all others learn of it by their links.
 * Rule [M6].
 */
import { parseNodeId } from "@causeway/crdt/base"
import type { RetireRefusal } from "@causeway/crdt/node"
import { z } from "zod"
import { failure } from "./documents.ts"
import type { Answer, Ask } from "./documents.ts"

export const membersLimits = {
  /** A request's body. Past it: 413. */
  bodyBytesMax: 4096,
  /** Past it: 503 `timeout`. The node may be retired all the same. */
  retireMs: 20_000,
} as const

const request = z.strictObject({ node: z.string() })

/** `body`: the request's, as text. */
export async function retire(ask: Ask, body: string): Promise<Answer> {
  const node = nodeIn(body)
  if (node === undefined) {
    return failure(400, "bad-request", 'say which node: {"node": "NAME"} as JSON')
  }
  return await new Promise((resolve) => {
    const patience = setTimeout(() => {
      resolve(failure(503, "timeout", "it takes too long; ask again whether it is a member"))
    }, membersLimits.retireMs)
    ask({ type: "retire", node }, (reply) => {
      clearTimeout(patience)
      if (reply.type === "retired") resolve({ status: 200, body: { node, origins: reply.origins } })
      else if (reply.type === "not-retired") resolve(refusal(node, reply.code))
    })
  })
}

function nodeIn(body: string) {
  try {
    return parseNodeId(request.parse(JSON.parse(body)).node)
  } catch {
    return undefined
  }
}

const refusals: Readonly<
  Record<RetireRefusal, readonly [status: Answer["status"], says: (node: string) => string]>
> = {
  self: [409, (node) => `${node} is the node you ask: ask another one, once ${node} is stopped`],
  linked: [409, (node) => `${node} is linked and would be back at once: stop it first`],
  "no-such-member": [404, (node) => `no member is called ${node}`],
  "store-failed": [503, () => "the node can't write to its disk now; try later"],
}

function refusal(node: string, code: RetireRefusal): Answer {
  const [status, says] = refusals[code]
  return failure(status, code, says(node))
}
