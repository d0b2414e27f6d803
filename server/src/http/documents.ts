/**
 * `GET /v1/documents/:engine/:id`: a document as JSON. The id is the rest of the path,
 * percent-decoded as a room is, so that it may contain slashes.
 */
import { documentIdOf, engineNames } from "@causeway/crdt/base"
import type { Command, Reply } from "@causeway/crdt/node"
import { percentDecode } from "../transport/endpoint.ts"

const documentLimits = {
  /** Documents being read or sent over HTTP. Past it: 503 `overloaded`. */
  readsMax: 16,
  /** Past it: 503 `timeout`. The read itself goes on and still counts. */
  readMs: 20_000,
} as const

export type Answer = {
  readonly status: 200 | 400 | 401 | 403 | 404 | 409 | 413 | 501 | 503 | 507
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
    const slash = target.indexOf("/")
    const name = percentDecode(target.slice(slash + 1))
    const engine = engineNames.find((known) => known === target.slice(0, Math.max(slash, 0)))
    if (engine === undefined) {
      return failure(400, "unknown-engine", `the engine is one of: ${engineNames.join(", ")}`)
    }
    const document = name === undefined ? undefined : documentIdOf(engine, name)
    if (document === undefined) {
      return failure(400, "bad-document-name", "a document name is 1 to 512 bytes of UTF-8")
    }
    if (this.#reads >= documentLimits.readsMax) {
      return failure(503, "overloaded", "too many documents are being read; try later")
    }
    return await this.#read({ type: "read-document", document }, sent)
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

function answerOf(reply: Reply): Answer {
  switch (reply.type) {
    case "retired":
    case "not-retired":
      throw new TypeError("not the answer to a read")
    case "document":
      return { status: 200, body: reply.json }
    case "no-such-document":
      return failure(404, "no-such-document", "nobody has written this document yet")
    case "failed":
      return failure(reply.code === "document-too-large" ? 413 : 503, reply.code, reply.message)
  }
}

export function failure(status: Answer["status"], code: string, message: string): Answer {
  return { status, body: { error: { code, message } } }
}
