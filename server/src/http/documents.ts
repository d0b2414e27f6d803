/**
 * `/v1/documents/:engine/:name`. GET: the document as JSON. For admins DELETE, which ends it on all
 * nodes, and PUT, which lets a deleted name be used again; answered when the record of it is
 * durable here. The name is the rest of the path, percent-decoded as a room is, so that it may
 * contain slashes. Rule [R4].
 */
import { documentIdOf, engineNames } from "@causeway/crdt/base"
import type { DocumentId } from "@causeway/crdt/base"
import type { Command, LifeRefusal, Reply } from "@causeway/crdt/node"
import { percentDecode } from "../transport/endpoint.ts"

const documentLimits = {
  /** Documents being read or sent over HTTP. Past it: 503 `overloaded`. */
  readsMax: 16,
  /** Past it: 503 `timeout`. The read itself goes on and still counts. */
  readMs: 20_000,
  /** Past it: 503 `timeout`. The name may be deleted, or created again, all the same. */
  changeMs: 20_000,
} as const

export type Answer = {
  readonly status: 200 | 400 | 401 | 403 | 404 | 409 | 410 | 413 | 501 | 503 | 507
  readonly body: unknown
}

export type Ask = (request: Command, answer: (reply: Reply) => void) => void

export class Documents {
  readonly #ask: Ask
  #reads = 0

  constructor(ask: Ask) {
    this.#ask = ask
  }

  /**
   * `target`: what stands behind `/v1/documents/` in the request's target. `sent`: resolves once
   * the answer has left this process, since until then its text takes memory.
   */
  async get(target: string, sent: Promise<unknown>): Promise<Answer> {
    const document = documentIn(target)
    if (typeof document !== "string") return document
    if (this.#reads >= documentLimits.readsMax) {
      return failure(503, "overloaded", "too many documents are being read; try later")
    }
    return await this.#read({ type: "read-document", document }, sent)
  }

  /** `type`: whether the name's document is to go, or a deleted name is to be used again. */
  change(type: "delete-document" | "create-document", target: string): Promise<Answer> {
    const document = documentIn(target)
    if (typeof document !== "string") return Promise.resolve(document)
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        resolve(failure(503, "timeout", "it takes too long; ask again whether it is done"))
      }, documentLimits.changeMs)
      this.#ask({ type, document }, (reply) => {
        clearTimeout(patience)
        resolve(changeOf(reply))
      })
    })
  }

  #read(request: Command, sent: Promise<unknown>): Promise<Answer> {
    this.#reads++
    return new Promise((resolve) => {
      const patience = setTimeout(() => {
        resolve(failure(503, "timeout", "reading the document takes too long; try later"))
      }, documentLimits.readMs)
      this.#ask(request, (reply) => {
        void sent.finally(() => this.#reads--)
        clearTimeout(patience)
        resolve(answerOf(reply))
      })
    })
  }
}

function documentIn(target: string): DocumentId | Answer {
  const slash = target.indexOf("/")
  const name = percentDecode(target.slice(slash + 1))
  const engine = engineNames.find((known) => known === target.slice(0, Math.max(slash, 0)))
  if (engine === undefined) {
    return failure(400, "unknown-engine", `the engine is one of: ${engineNames.join(", ")}`)
  }
  const document = name === undefined ? undefined : documentIdOf(engine, name)
  return document ?? failure(400, "bad-document-name", "a document name is 1 to 512 bytes of UTF-8")
}

const refusals: Readonly<Record<LifeRefusal, readonly [Answer["status"], string]>> = {
  deleted: [410, "the document is deleted already"],
  alive: [409, "the name is in use: it was not deleted"],
  "too-many": [507, "this cluster has deleted and created as many documents as it can remember"],
  "store-failed": [503, "the node can't write to its disk now; try later"],
}

function changeOf(reply: Reply): Answer {
  switch (reply.type) {
    case "document-deleted":
    case "document-created":
      return { status: 200, body: { generation: reply.generation } }
    case "life-unchanged": {
      const [status, message] = refusals[reply.code]
      const code = reply.code === "deleted" ? "document-deleted" : reply.code
      return failure(status, code, message)
    }
    case "failed":
      return failure(503, "store-failed", reply.message)
    default:
      throw new TypeError("not the answer to a change")
  }
}

function answerOf(reply: Reply): Answer {
  switch (reply.type) {
    case "retired":
    case "not-retired":
    case "document-deleted":
    case "document-created":
    case "life-unchanged":
      throw new TypeError("not the answer to a read")
    case "document":
      return { status: 200, body: reply.json }
    case "no-such-document":
      return failure(404, "no-such-document", "nobody has written this document yet")
    case "deleted":
      return failure(410, "document-deleted", "the document was deleted")
    case "failed":
      return failure(reply.code === "document-too-large" ? 413 : 503, reply.code, reply.message)
  }
}

export function failure(status: Answer["status"], code: string, message: string): Answer {
  return { status, body: { error: { code, message } } }
}
