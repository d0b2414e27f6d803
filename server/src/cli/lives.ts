/**
 * `causeway delete ENGINE NAME` and `causeway recreate ENGINE NAME`: a document is ended on every
 * node of the cluster, by any of them, and its name is used again, from nothing. Rules [R4] [R5].
 */
import { z } from "zod"
import { errorMessage } from "../store/errors.ts"
import { CommandError } from "./command-error.ts"
import { adminHeaders, httpBase } from "./node-address.ts"

export type LifeOptions = { readonly url: string; readonly adminToken?: string }

/** Longer than the node takes at most. */
const answerMs = 30_000

const done = z.object({ generation: z.number() })
const refused = z.object({ error: z.object({ message: z.string() }) })

export async function deleteDocument(
  engine: string,
  name: string,
  options: LifeOptions,
): Promise<number> {
  const generation = await ask("DELETE", engine, name, options)
  process.stdout.write(`${engine} document ${name} is deleted (generation ${generation})\n`)
  process.stdout.write("nodes that are away learn of it when they are back\n")
  return 0
}

export async function recreateDocument(
  engine: string,
  name: string,
  options: LifeOptions,
): Promise<number> {
  const generation = await ask("PUT", engine, name, options)
  process.stdout.write(
    `${engine} document ${name} is empty and in use (generation ${generation})\n`,
  )
  return 0
}

async function ask(
  method: "DELETE" | "PUT",
  engine: string,
  name: string,
  { url, adminToken }: LifeOptions,
): Promise<number> {
  const path = [engine, name].map(encodeURIComponent).join("/")
  const target = `${httpBase(url)}/v1/documents/${path}`
  const response = await send(method, target, adminHeaders(adminToken))
  const body = parsed(await response.text())
  const answer = done.safeParse(body)
  if (response.ok && answer.success) return answer.data.generation
  const told = refused.safeParse(body)
  const why = told.success ? told.data.error.message : "this is no answer of a node"
  throw new CommandError(`${target} answered ${response.status}: ${why}`)
}

async function send(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  try {
    return await fetch(target, { method, headers, signal: AbortSignal.timeout(answerMs) })
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
