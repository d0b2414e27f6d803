import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { compactionLimits } from "@causeway/crdt/node"
import { afterEach, expect, test } from "vitest"
import { signToken } from "../auth/jwt.ts"
import { Cleanup } from "../test/cleanup.ts"
import { loadConfig } from "./config.ts"
import type { Flags } from "./config.ts"
import { peersMax } from "./settings.ts"

const cleanup = new Cleanup()
afterEach(() => cleanup.run())

function configFile(content: unknown): string {
  const path = join(cleanup.folder(), "causeway.json")
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content))
  return path
}

test("without anything, the defaults", async () => {
  expect(await loadConfig({})).toEqual({
    listen: { host: "127.0.0.1", port: 8642 },
    store: { type: "sqlite", directory: "./data" },
    node: undefined,
    cluster: "causeway",
    peers: [],
    logBytesMax: compactionLimits.logBytesMax,
    logAgeMsMax: compactionLimits.logAgeMsMax,
    logLevel: "info",
  })
})

test("[K11] how much log is kept, and for how long: flag over file", async () => {
  const file = configFile({ "log-bytes-max": "64MiB", "log-age-max": "36h" })
  const caps = async (flags: Flags) => {
    const { logBytesMax, logAgeMsMax } = await loadConfig(flags, file)
    return [logBytesMax, logAgeMsMax]
  }
  expect(await caps({})).toEqual([64 * 1024 * 1024, 36 * 3_600_000])
  expect(await caps({ "log-bytes-max": "1048576", "log-age-max": "1m" })).toEqual([
    1024 * 1024,
    60_000,
  ])
  expect(await caps({ "log-bytes-max": "2TiB", "log-age-max": "90s" })).toEqual([
    2 * 1024 ** 4,
    90_000,
  ])
  const size = "is not a size of 1MiB or more, such as 512MiB or 1GiB"
  for (const bad of ["", "1023KiB", "1GB", "1.5GiB", "-1GiB", "GiB", "1 GiB", "9999TiB ", "8e9"]) {
    await expect(caps({ "log-bytes-max": bad })).rejects.toThrow(
      `--log-bytes-max: "${bad}" ${size}`,
    )
  }
  const age = "is not an age of 1m or more, such as 90m, 36h or 7d"
  for (const bad of ["", "59s", "7", "7 d", "1w", "99999999999999d"]) {
    await expect(caps({ "log-age-max": bad })).rejects.toThrow(`--log-age-max: "${bad}" ${age}`)
  }
})

test("[N22] the secret of tokens is from a flag's file, the environment, or a file", async () => {
  const fileWith = (text: string) => {
    const path = join(cleanup.folder(), "token-secret")
    writeFileSync(path, text)
    return path
  }
  const secrets = ["the flag's", "the environment's", "the file's"].map((whose) => {
    return `${whose} secret of thirty-two bytes or more`
  })
  const [flag = "", CAUSEWAY_TOKEN_SECRET = "", written = ""] = secrets
  const file = configFile({ "token-secret-file": fileWith(written) })
  const takes = async (...args: Parameters<typeof loadConfig>) => {
    const { authenticate } = await loadConfig(...args)
    const taken: string[] = []
    for (const secret of secrets) {
      const token = await signToken(new TextEncoder().encode(secret), "ada", 60_000)
      if ("user" in ((await authenticate?.(token, new AbortController().signal)) ?? {}))
        taken.push(secret)
    }
    return taken
  }
  const given = { "token-secret-file": fileWith(flag) }
  expect(await takes(given, file, { CAUSEWAY_TOKEN_SECRET })).toEqual([flag])
  expect(await takes({}, file, { CAUSEWAY_TOKEN_SECRET })).toEqual([CAUSEWAY_TOKEN_SECRET])
  expect(await takes({}, file, { CAUSEWAY_TOKEN_SECRET: "" })).toEqual([written])
  expect((await loadConfig({}, undefined, {})).authenticate).toBeUndefined()
})

test("the secret: a flag's file, then the environment, then the configuration's file", async () => {
  const fileWith = (text: string) => {
    const path = join(cleanup.folder(), "secret")
    writeFileSync(path, text)
    return path
  }
  const [flag, written] = [
    fileWith("the flag's secret file\n"),
    fileWith("the written secret file"),
  ]
  const env = { CAUSEWAY_SECRET: "of the environment " }
  const file = configFile({ "secret-file": written, advertise: "ws://10.0.0.2:8642/" })
  const secretIn = async (...args: Parameters<typeof loadConfig>) =>
    new TextDecoder().decode((await loadConfig(...args)).secret)
  expect(await secretIn({ "secret-file": flag }, file, env)).toBe("the flag's secret file")
  expect(await secretIn({}, file, env)).toBe("of the environment")
  expect(await secretIn({}, file, { CAUSEWAY_SECRET: "" })).toBe("the written secret file")
  expect((await loadConfig({}, undefined, {})).secret).toBeUndefined()
  expect((await loadConfig({}, file, env)).advertise).toBe("ws://10.0.0.2:8642")
  await expect(loadConfig({}, undefined, { CAUSEWAY_SECRET: "short" })).rejects.toThrow(
    "CAUSEWAY_SECRET must have 16 to 4096 bytes, and has 5",
  )
  await expect(loadConfig({ advertise: "10.0.0.2" })).rejects.toThrow("--advertise")
})

test("the push delay is milliseconds within its bounds", async () => {
  const file = configFile({ "push-delay": "250" })
  expect(await loadConfig({}, file)).toMatchObject({ pushDelayMs: 250 })
  expect(await loadConfig({ "push-delay": "0" }, file)).toMatchObject({ pushDelayMs: 0 })
  expect(await loadConfig({ "push-delay": "1000" })).toMatchObject({ pushDelayMs: 1000 })
  for (const text of ["1001", "-1", "1e2", "", "fast"]) {
    await expect(loadConfig({ "push-delay": text })).rejects.toThrow("--push-delay: ")
  }
})

test("a byte order mark in front of the file is no part of it", async () => {
  const file = configFile('\ufeff{"cluster": "windows"}')
  expect(await loadConfig({}, file)).toMatchObject({ cluster: "windows" })
  await expect(loadConfig({}, configFile("\ufeff\ufeff{}"))).rejects.toThrow("is not JSON")
})

test("flags win over the file, the file over the defaults", async () => {
  const file = configFile({
    listen: "0.0.0.0:1000",
    data: "/file",
    node: "from-file",
    cluster: "file",
    peer: ["ws://file:1", "wss://file:2/prefix/"],
    "log-level": "debug",
  })
  expect(await loadConfig({}, file)).toEqual({
    listen: { host: "0.0.0.0", port: 1000 },
    store: { type: "sqlite", directory: "/file" },
    node: "from-file",
    cluster: "file",
    peers: ["ws://file:1", "wss://file:2/prefix"],
    logBytesMax: compactionLimits.logBytesMax,
    logAgeMsMax: compactionLimits.logAgeMsMax,
    logLevel: "debug",
  })
  const flags = { listen: "[::1]:0", data: "/flag", node: "flag", peer: ["ws://flag:1"] }
  expect(await loadConfig(flags, file)).toMatchObject({
    listen: { host: "::1", port: 0 },
    store: { type: "sqlite", directory: "/flag" },
    node: "flag",
    cluster: "file",
    peers: ["ws://flag:1"],
  })
  expect((await loadConfig({ store: "memory" }, file)).store).toEqual({ type: "memory" })
  expect((await loadConfig({}, configFile({ peer: "ws://only:1" }))).peers).toEqual(["ws://only:1"])
})

test.each([
  [{ listen: "8642" }, 'listen: "8642" is not HOST:PORT, such as 127.0.0.1:8642'],
  [{ listen: "a:99999" }, 'listen: "a:99999" is not HOST:PORT'],
  [{ listen: 8642 }, "listen: Invalid input: expected string, received number"],
  [{ lisen: "a:1" }, 'there is no setting "lisen"; the settings are: listen, data, node, peer'],
  [{ node: "a b" }, 'node: "a b" is not a node id'],
  [{ peer: ["http://a:1"] }, 'peer: "http://a:1" is not a peer\'s address'],
  [{ peer: "ws://u:p@a:1" }, "is not a peer's address, such as ws://10.0.0.2:8642"],
  [{ peer: 7 }, "peer: Invalid input"],
  [{ "log-bytes-max": "many" }, 'log-bytes-max: "many" is not a size of 1MiB or more'],
  [{ "log-bytes-max": 1e9 }, "log-bytes-max: Invalid input: expected string, received number"],
  [{ "log-age-max": "always" }, 'log-age-max: "always" is not an age of 1m or more'],
  [{ store: "leveldb" }, 'store: "leveldb" is not one of: sqlite, level, memory'],
  [{ "log-level": "loud" }, 'log-level: "loud" is not one of: debug, info, warn, error, silent'],
  [{ data: "" }, "data: the data folder needs a name"],
  [{ cluster: "" }, "cluster: a cluster's name has 1 to 64 characters"],
  [[], "the configuration must be a JSON object"],
  ["{ listen: }", "is not JSON: "],
])("a bad file is named and explained: %j", async (content, message) => {
  const file = configFile(content)
  const load = () => loadConfig({}, file)
  await expect(load).rejects.toThrow(message)
  await expect(load).rejects.toThrow(file)
  await expect(load).rejects.toThrow(/^[^\n]+$/)
})

test("a bad flag is named as it is written", async () => {
  const load = (flags: Flags) => loadConfig(flags)
  await expect(load({ listen: "x" })).rejects.toThrow('--listen: "x" is not HOST:PORT')
  await expect(load({ peer: ["ws://a:1", "a:1"] })).rejects.toThrow('--peer: "a:1" is not a peer')
  const peers = Array<string>(peersMax + 1).fill("ws://a:1")
  await expect(load({ peer: peers })).rejects.toThrow("--peer: at most 63 peers")
  expect((await load({ peer: peers.slice(1) })).peers.length).toBe(peersMax)
})

test("a file that is not there, a folder, or far too large", async () => {
  const path = join(cleanup.folder(), "file")
  const load = () => loadConfig({}, path)
  await expect(load).rejects.toThrow("cannot read the configuration file: ENOENT")
  writeFileSync(path, " ".repeat(1024 * 1024 + 1))
  await expect(load).rejects.toThrow("too large")
  rmSync(path)
  mkdirSync(path)
  await expect(load).rejects.toThrow("cannot read the configuration file: EISDIR")
})

test("[B1] the admin token: flag over environment over file, never a guessable one", async () => {
  const [flag, environment, written] = ["flag", "env", "file"].map(
    (name) => `${name}-0123456789abc`,
  )
  const file = configFile({ "admin-token": written })
  const env = { CAUSEWAY_ADMIN_TOKEN: environment }
  expect(await loadConfig({}, file, {})).toMatchObject({ adminToken: written })
  expect(await loadConfig({}, file, { CAUSEWAY_ADMIN_TOKEN: "" })).toMatchObject({
    adminToken: written,
  })
  expect(await loadConfig({}, file, env)).toMatchObject({ adminToken: environment })
  const flags = flag === undefined ? {} : { "admin-token": flag }
  expect(await loadConfig(flags, file, env)).toMatchObject({ adminToken: flag })
  for (const bad of ["short", "0123456789 0123456789", "0123456789012345ü"]) {
    const refused = loadConfig({}, undefined, { CAUSEWAY_ADMIN_TOKEN: bad })
    await expect(refused).rejects.toThrow("CAUSEWAY_ADMIN_TOKEN: an admin token has 16 or more")
    await expect(refused).rejects.not.toThrow(bad)
  }
})
