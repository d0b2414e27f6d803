/**
 * Real nodes and clients for tests: each is stopped after its test, whatever happened, and every
 * wait has an end.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { parseNodeId } from "@causeway/crdt/base"
import { createNode } from "@causeway/server"
import type { Authenticate, RunningNode } from "@causeway/server"
import { createClient } from "../index.ts"
import type { Client, ClientOptions, Observable, YjsDocument } from "../index.ts"

const waitMsMax = 20_000
/** Nodes that check clients' tokens want peers to prove who they are, too. */
const clusterSecret = new TextEncoder().encode("a secret of sixteen bytes or more")

export type NodeUnderTest = { readonly node: RunningNode; readonly sync: string }

type NodeWishes = {
  readonly port?: number
  readonly peers?: readonly string[]
  readonly name?: string
  /** SQLite there; memory if not given. */
  readonly directory?: string
  readonly adminToken?: string
  readonly authenticate?: Authenticate
}

export async function startNode(wishes: NodeWishes = {}): Promise<NodeUnderTest> {
  const { port = 0, peers = [], name, directory, adminToken, authenticate } = wishes
  const node = await createNode({
    listen: { host: "127.0.0.1", port },
    store: directory === undefined ? { type: "memory" } : { type: "sqlite", directory },
    cluster: "test",
    peers,
    adminToken,
    authenticate,
    ...(authenticate === undefined ? {} : { secret: clusterSecret }),
    node: name === undefined ? undefined : parseNodeId(name),
  })
  onTestFinished(() => node.close())
  return { node, sync: `${node.url}/sync` }
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "causeway-client-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export function connect(sync: string, options: Partial<ClientOptions> = {}): Client {
  const client = createClient({ urls: [sync], ...options })
  onTestFinished(() => client.close())
  return client
}

/** Resolves with the first value that fits, the current one too. */
export function until<T>(source: Observable<T>, fits: (value: T) => boolean): Promise<T> {
  if (fits(source.current)) return Promise.resolve(source.current)
  return within((resolve) => {
    const end = source.subscribe((value) => {
      if (!fits(value)) return
      end()
      resolve(value)
    })
    return () => `still ${JSON.stringify(source.current)}`
  })
}

/** `start` gets the resolver, and gives what to say if nothing came of it. */
export function within<T>(start: (resolve: (value: T) => void) => () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`timed out: ${says()}`)), waitMsMax)
    const says = start((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}

export function textOf(note: YjsDocument): string {
  return note.ydoc.getText("body").toString()
}

export function type(note: YjsDocument, text: string): void {
  const body = note.ydoc.getText("body")
  body.insert(body.length, text)
}

export function untilText(note: YjsDocument, text: string): Promise<void> {
  return within((resolve) => {
    const check = (): void => {
      if (textOf(note) !== text) return
      note.ydoc.off("update", check)
      resolve()
    }
    note.ydoc.on("update", check)
    check()
    return () => `text is ${JSON.stringify(textOf(note))}, not ${JSON.stringify(text)}`
  })
}
