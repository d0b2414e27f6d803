/**
 * A node that checks tokens, at every door: native clients, stock clients, HTTP, and as a process
 * with a secret in a file. Tokens are real JWTs, or those of an embedding program.
 */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { afterEach, describe, expect, test } from "vitest"
import { parseClientId } from "@causeway/crdt/base"
import type { ClientId } from "@causeway/crdt/base"
import { encodeHello, encodeToken, nativeVersions } from "@causeway/crdt/protocol"
import { jwtAuthenticate, signToken } from "./auth/jwt.ts"
import type { Authenticate } from "./auth/authenticate.ts"
import { createNode } from "./node.ts"
import { Child, serveChild } from "./test/child.ts"
import { Cleanup } from "./test/cleanup.ts"
import { NativeClient } from "./test/native-client.ts"
import { httpUrl, metric, startNode } from "./test/nodes.ts"
import { RawClient } from "./test/raw-client.ts"
import { stockClient, synced } from "./test/stock-client.ts"
import { soon, until } from "./test/wait.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

const secret = new TextEncoder().encode("a secret of the cluster")
const tokenSecret = new TextEncoder().encode("thirty-two bytes of secret, or more than that")

function clientOf(text: string): ClientId {
  const client = parseClientId(text)
  if (client === undefined) throw new TypeError("not a client id")
  return client
}

function checking(authenticate: Authenticate = jwtAuthenticate(tokenSecret)) {
  return startNode(cleanup, { secret, authenticate })
}

describe("native clients", () => {
  test("[N22] [N23] are let in on a JWT, and go on with the next on the same socket", async () => {
    const node = await checking()
    const token = await signToken(tokenSecret, "ada", 60_000)
    const client = await NativeClient.open(node.url, "yjs", "notes", cleanup, token)
    const forMs = () =>
      client.messages().flatMap((m) => (m.type === "token-valid" ? [m.forMs] : []))
    await until("the first is taken", () => forMs().length === 1)
    client.send(encodeToken({ type: "token", token: await signToken(tokenSecret, "ada", 120_000) }))
    await until("the next is taken", () => forMs().length === 2)
    const [first = 0, next = 0] = forMs()
    expect(first).toBeLessThanOrEqual(66_000)
    expect(next - first).toBeGreaterThan(50_000)
    client.send(encodeToken({ type: "token", token: await signToken(tokenSecret, "eve", 120_000) }))
    const { code, reason } = await soon("another user's closes", client.closed)
    expect([code, reason]).toEqual([4401, "not-authenticated"])
  })

  test("[N22] without a token, or when nobody can say, they are closed", async () => {
    const node = await checking((token) => {
      if (token === "down") throw new Error("no database")
      return { refused: "no" }
    })
    for (const [token, code] of [
      ["", 4401],
      ["down", 4507],
    ] as const) {
      const client = await new RawClient(`${node.url}/sync`, cleanup).open()
      const hello = { type: "hello", versions: nativeVersions, firstPending: 1, token } as const
      client.send(encodeHello({ ...hello, client: clientOf("00112233445566778899aabbccddeeff") }))
      expect((await soon("it is closed", client.closed)).code).toBe(code)
      expect(client.frames).toEqual([])
    }
  })
})

describe("stock y-websocket", () => {
  test("[Y9] is let in with `params`, and stops for good without", async () => {
    const node = await checking()
    const token = await signToken(tokenSecret, "ada", 60_000)
    const [ann, ben] = ["ann", "ben"].map(() => stockClient(node.url, "notes", cleanup, { token }))
    if (ann === undefined || ben === undefined) throw new Error("two clients")
    await synced(ann, ben)
    ann.text.insert(0, "hello")
    await until("it is there", () => ben.text.toString() === "hello")
    const stranger = new RawClient(`${node.url}/yjs/notes?token=x`, cleanup)
    expect(await soon("it is closed", stranger.closed)).toEqual({
      code: 4401,
      reason: "not-authenticated",
    })
    expect(stranger.frames).toEqual([])
    const outside = stockClient(node.url, "notes", cleanup)
    await until("the provider stops", () => !outside.provider.shouldConnect)
    expect(outside.text.toString()).toBe("")
  })

  test("[Y9] whose token is over comes back with what its `params` say then", async () => {
    let expiresAtMs = Date.now() + 1000
    const seen: string[] = []
    const node = await checking((token) => {
      seen.push(token)
      return { user: "ada", expiresAtMs }
    })
    const params = { token: "first" }
    const ann = stockClient(node.url, "notes", cleanup, params)
    await synced(ann)
    params.token = "second"
    expiresAtMs = Date.now() + 60_000
    await until("it came back", () => seen.includes("second"))
    await synced(ann)
    ann.text.insert(0, "again")
    const ben = stockClient(node.url, "notes", cleanup, params)
    await until("it goes on", () => ben.text.toString() === "again")
  })

  test("[Y9] what goes away while it is checked is nobody's; the node goes on", async () => {
    const answers: (() => void)[] = []
    const node = await checking(async () => {
      await new Promise<void>((resolve) => answers.push(resolve))
      return { user: "ada" }
    })
    const gone = new RawClient(`${node.url}/yjs/notes`, cleanup)
    await until("it is being checked", () => answers.length === 1)
    gone.socket.terminate()
    await soon("it is gone", gone.closed)
    answers[0]?.()
    const ann = stockClient(node.url, "notes", cleanup)
    await until("the next is being checked", () => answers.length === 2)
    answers[1]?.()
    await synced(ann)
    expect(node.status().sessions).toBe(1)
  })
})

test("[Y9] who is being checked when the node stops hears so at once", async () => {
  let isAsked = false
  const node = await checking(() => {
    isAsked = true
    return new Promise(() => undefined)
  })
  const waiting = new RawClient(`${node.url}/yjs/notes`, cleanup)
  await until("it is being checked", () => isAsked)
  const startedMs = performance.now()
  await node.close()
  await soon("it is closed", waiting.closed)
  expect(performance.now() - startedMs).toBeLessThan(4000)
})

describe("documents over HTTP", () => {
  const adminToken = "an-admin-token-of-sixteen"
  const read = async (base: string, token?: string) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const response = await fetch(`${base}/v1/documents/yjs/notes`, { headers })
    const body: unknown = await response.json()
    return { status: response.status, body }
  }

  test("[N22] are read with a client's token, or the admin's", async () => {
    const authenticate = jwtAuthenticate(tokenSecret)
    const node = await startNode(cleanup, { secret, authenticate, adminToken })
    const base = httpUrl(node)
    const token = await signToken(tokenSecret, "ada", 60_000)
    for (const shown of [token, adminToken]) expect((await read(base, shown)).status).toBe(404)
    for (const shown of [undefined, "x", `${adminToken}x`]) {
      const { status, body } = await read(base, shown)
      expect(status).toBe(401)
      expect(body).toMatchObject({ error: { code: "not-authenticated" } })
    }
    const change = await fetch(`${base}/v1/documents/yjs/notes`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${token}` },
    })
    expect(change.status).toBe(401)
  })

  test("[N22] so are partition reports, which name documents", async () => {
    const node = await checking()
    const ask = async (token?: string) => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
      return (await fetch(`${httpUrl(node)}/v1/partitions`, { headers })).status
    }
    expect(await ask()).toBe(401)
    expect(await ask(await signToken(tokenSecret, "ada", 60_000))).toBe(200)
    const status = await fetch(`${httpUrl(node)}/v1/status`)
    expect(status.status).toBe(200)
    const counted = 'causeway_tokens_checked_total{result="valid"}'
    expect(await metric(node, counted)).toBe(1)
  })

  test("[N22] when nobody can say, later", async () => {
    const node = await checking(() => Promise.reject(new Error("no database")))
    expect(await read(httpUrl(node), "t")).toMatchObject({
      status: 503,
      body: { error: { code: "token-unchecked" } },
    })
  })

  test("[N22] where no tokens are checked, everybody reads them", async () => {
    const node = await startNode(cleanup)
    expect((await read(httpUrl(node))).status).toBe(404)
  })
})

test("whoever names the cluster could read it all, so a secret is wanted", async () => {
  const listen = { host: "127.0.0.1", port: 0 }
  const options = { listen, store: { type: "memory" }, cluster: "test", peers: [] } as const
  const starting = createNode({ ...options, authenticate: jwtAuthenticate(tokenSecret) })
  await expect(starting).rejects.toThrow("give it a secret (--secret-file, CAUSEWAY_SECRET)")
})

describe("the command line", () => {
  const file = (text: string): string => {
    const path = join(cleanup.folder(), "secret")
    writeFileSync(path, `${text}\n`)
    return path
  }

  async function printed(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    const child = new Child(["token", ...args], cleanup, undefined, { ...process.env, ...env })
    const { code } = await soon("it ends", child.ended)
    return { code, stdout: child.stdout, stderr: child.stderr }
  }

  test("[N22] a node with a secret takes the tokens that `causeway token` prints", async () => {
    const path = file("thirty-two bytes of secret, or more")
    const node = serveChild(
      cleanup,
      "--data",
      cleanup.folder(),
      "--token-secret-file",
      path,
      "--secret-file",
      file("a secret of the cluster"),
    )
    const url = await node.ready()
    const { code, stdout } = await printed(["ada", "--token-secret-file", path, "--for", "5m"])
    expect(code).toBe(0)
    const client = stockClient(url, "notes", cleanup, { token: stdout.trim() })
    await synced(client)
    const CAUSEWAY_TOKEN_SECRET = "thirty-two other bytes that nobody was given"
    const wrong = await printed(["ada"], { CAUSEWAY_TOKEN_SECRET })
    const stranger = new RawClient(`${url}/yjs/notes?token=${wrong.stdout.trim()}`, cleanup)
    expect((await soon("it is closed", stranger.closed)).code).toBe(4401)
  })

  test.each([
    [["ada"], "give the nodes' secret: --token-secret-file or CAUSEWAY_TOKEN_SECRET"],
    [["ada", "--for", "soon"], "--for soon: not a time, such as 10m, 1h or 7d"],
  ])("says what is missing: %j", async (args, message) => {
    const { code, stderr } = await printed(args, { CAUSEWAY_TOKEN_SECRET: "" })
    expect([code, stderr]).toEqual([1, `causeway: ${message}\n`])
  })

  test("a secret that is too short is refused", async () => {
    const { code, stderr } = await printed(["ada"], { CAUSEWAY_TOKEN_SECRET: "short" })
    expect(code).toBe(1)
    expect(stderr).toBe("causeway: CAUSEWAY_TOKEN_SECRET must have 32 to 4096 bytes, and has 5\n")
  })
})
