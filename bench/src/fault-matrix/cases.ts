/**
 * The cases, each the same acts for every contender: what a client does, when the fault comes, when
 * it goes. A client leaves as soon as it is told that its writes are safe, or at the end. `known`
 * is what an earlier look at Hocuspocus 4.7.0 found; the report says what came out the same.
 */
import { setTimeout as delay } from "node:timers/promises"
import type { MatrixClient } from "./clients.ts"
import { chainOf } from "./raw-writers.ts"
import type { RawAnswer } from "./raw-writers.ts"
import { healMsMax, settleMs, toldMsMax } from "./stage.ts"
import type { Stage, StageOptions } from "./stage.ts"
import type { Finding, Observation } from "./verdict.ts"
import { happens, need } from "./wait.ts"

export type MatrixCase = {
  readonly name: string
  readonly title: string
  readonly nodes: StageOptions["nodes"]
  readonly disk: StageOptions["disk"]
  /** What Hocuspocus 4.7.0 is known to do, from reading and from single runs. */
  readonly known: readonly Finding[]
  readonly play: (stage: Stage) => Promise<Observation>
}

/** For the disk to be full after a client was told, or should have been. */
const diskFullMs = 4000
/** No free page of a database takes it. */
const largeChars = 200_000
/** From the heal to the look at the disks. */
const lookMs = 15_000

/** Types, and waits to be told. */
async function typeAndWait(client: MatrixClient, word: string): Promise<boolean> {
  client.type(word)
  return happens(() => client.isTold(), toldMsMax)
}

async function typeBase(client: MatrixClient): Promise<void> {
  client.type("[base]")
  await need("the first words are told to be safe", () => client.isTold(), toldMsMax)
}

/** Everybody leaves, SIGTERM, restart: the fates of words with whether each was told. */
async function conclude(
  stage: Stage,
  told: ReadonlyMap<string, boolean>,
): Promise<Pick<Observation, "fates" | "stoppedInTime" | "crashed">> {
  const crashed = stage.cluster.failures().length > 0
  const { inTime } = await stage.endInOrder()
  return { ...(await restart(stage, told)), stoppedInTime: inTime, crashed }
}

/** As `conclude`, with a look at the disks while everything still runs. */
async function concludeWithLook(
  stage: Stage,
  told: ReadonlyMap<string, boolean>,
): ReturnType<typeof conclude> {
  const onDisk = await stage.onDisk([...told.keys()])
  const concluded = await conclude(stage, told)
  const fates = concluded.fates.map((fate, index) => ({ ...fate, onDisk: onDisk[index] === true }))
  return { ...concluded, fates }
}

async function restart(
  stage: Stage,
  told: ReadonlyMap<string, boolean>,
): Promise<Pick<Observation, "fates">> {
  const words = [...told.keys()]
  const after = await stage.afterRestart(words)
  const fates = words.map((word, index) => ({
    word,
    told: told.get(word) === true,
    after: after[index] ?? [],
  }))
  return { fates }
}

const inOrder: MatrixCase = {
  name: "in-order",
  title: "no fault: a client writes, is told, leaves; SIGTERM",
  nodes: "one",
  disk: "usual",
  known: [],
  play: async (stage) => {
    const client = await stage.join(0)
    const told = await typeAndWait(client, "[word]")
    return conclude(stage, new Map([["[word]", told]]))
  },
}

const together: MatrixCase = {
  name: "together",
  title: "no fault: two clients on two nodes write, are told, leave; SIGTERM",
  nodes: "several",
  disk: "usual",
  known: [],
  play: async (stage) => {
    const [a, b] = await twoClients(stage)
    const told = await bothType(a, b)
    const same = await happens(() => areLevel(a, b, told), healMsMax)
    return { ...(await conclude(stage, told)), same }
  },
}

/** SIGKILL some time after the ack; 0: at once. */
function crashAfterAck(name: string, title: string, ms: number, known: Finding[]): MatrixCase {
  return {
    name,
    title,
    nodes: "one",
    disk: "usual",
    known,
    play: async (stage) => {
      const client = await stage.join(0)
      const told = await typeAndWait(client, "[acked]")
      if (ms > 0) await delay(ms)
      await stage.cluster.kill()
      stage.leaveAll()
      return restart(stage, new Map([["[acked]", told]]))
    },
  }
}

/** `leaves`: as soon as it is told that its write is safe, or only when the fault is over. */
function storeFailsOnce(name: string, title: string, leaves: "told" | "later"): MatrixCase {
  return {
    name,
    title,
    nodes: "one",
    disk: "small",
    known: ["lost"],
    play: async (stage) => {
      const client = await stage.join(0)
      await typeBase(client)
      await delay(settleMs)
      stage.disk.fill()
      client.type(`[during]${"x".repeat(largeChars)}`)
      const typedMs = performance.now()
      const early = await happens(() => client.isTold(), diskFullMs)
      if (early && leaves === "told") stage.leave(client)
      await delay(Math.max(0, diskFullMs - (performance.now() - typedMs)))
      stage.disk.free()
      const told = early || (await happens(() => client.isTold(), healMsMax))
      stage.leaveAll()
      await delay(settleMs)
      return concludeWithLook(
        stage,
        new Map([
          ["[base]", true],
          ["[during]", told],
        ]),
      )
    },
  }
}

const storeFailsAtShutdown: MatrixCase = {
  name: "store-fails-at-shutdown",
  title: "disk full, a client writes, SIGTERM",
  nodes: "one",
  disk: "small",
  known: ["hung"],
  play: async (stage) => {
    const client = await stage.join(0)
    await typeBase(client)
    await delay(settleMs)
    stage.disk.fill()
    client.type(`[last]${"x".repeat(largeChars)}`)
    const told = await happens(() => client.isTold(), toldMsMax / 5)
    const { inTime } = await stage.cluster.stop()
    stage.leaveAll()
    stage.disk.free()
    const fates = await restart(
      stage,
      new Map([
        ["[base]", true],
        ["[last]", told],
      ]),
    )
    return { ...fates, stoppedInTime: inTime }
  },
}

/** Whether its sender, or another client, was led to believe in it. */
function isTaken(answer: RawAnswer): boolean {
  return answer === "acked" || answer === "seen"
}

const malformedUpdate: MatrixCase = {
  name: "malformed-update",
  title: "an update that cannot be decoded, then a good one",
  nodes: "one",
  disk: "usual",
  known: ["false ack"],
  play: async (stage) => {
    const answer = await stage.sendRaw(Uint8Array.of(3, 1, 2, 3))
    const client = await stage.join(0)
    const told = await typeAndWait(client, "[good]")
    const concluded = await conclude(stage, new Map([["[good]", told]]))
    return { ...concluded, malformedTaken: isTaken(answer), remarks: [`malformed: ${answer}`] }
  },
}

const missingPredecessor: MatrixCase = {
  name: "missing-predecessor",
  title: "an update whose predecessor is missing; that comes after a restart",
  nodes: "one",
  disk: "usual",
  known: ["lost"],
  play: async (stage) => {
    const [first, second] = chainOf("[first]", "[second]")
    const answer = await stage.sendRaw(second)
    const told = isTaken(answer)
    const { inTime } = await stage.endInOrder()
    await stage.cluster.start()
    const firstTold = isTaken(await stage.sendRaw(first))
    const concluded = await conclude(
      stage,
      new Map([
        ["[first]", firstTold],
        ["[second]", told],
      ]),
    )
    const stoppedInTime = inTime && concluded.stoppedInTime === true
    return { ...concluded, stoppedInTime, remarks: [`without its predecessor: ${answer}`] }
  },
}

/** Two clients of one document, on two servers, both with the base that is stored. */
async function twoClients(stage: Stage): Promise<readonly [MatrixClient, MatrixClient]> {
  const a = await stage.join(0)
  const b = await stage.join(1)
  await typeBase(a)
  await need("the other server shows it", () => b.text().includes("[base]"), healMsMax)
  await delay(settleMs)
  return [a, b]
}

async function bothType(a: MatrixClient, b: MatrixClient): Promise<Map<string, boolean>> {
  return new Map([
    ["[base]", true],
    ["[A]", await typeAndWait(a, "[A]")],
    ["[B]", await typeAndWait(b, "[B]")],
  ])
}

/** Whether both show the same, with everything that was typed. */
function areLevel(a: MatrixClient, b: MatrixClient, typed: ReadonlyMap<string, boolean>): boolean {
  return a.text() === b.text() && [...typed.keys()].every((word) => a.text().includes(word))
}

const networkKilled: MatrixCase = {
  name: "network-killed",
  title: "Redis killed / links cut, both sides write, A leaves, then B; then the heal",
  nodes: "several",
  disk: "usual",
  known: ["lost", "unavailable"],
  play: async (stage) => {
    const [a, b] = await twoClients(stage)
    await stage.cluster.cut()
    const told = await bothType(a, b)
    stage.leave(a)
    await delay(settleMs)
    const opensNew = await stage.canOpenNew(1)
    stage.leave(b)
    await delay(settleMs)
    await stage.cluster.heal()
    return { ...(await concludeWithLook(stage, told)), opensNew }
  },
}

/** Both write while their servers cannot talk; everybody stays until 15 s after the heal. */
function outage(seconds: number, known: readonly Finding[]): MatrixCase {
  return {
    name: `outage-${seconds}s`,
    title: `Redis away / links cut for ${seconds} s, both sides write, everybody stays`,
    nodes: "several",
    disk: "usual",
    known,
    play: async (stage) => {
      const [a, b] = await twoClients(stage)
      await stage.cluster.cut()
      const cutMs = performance.now()
      const told = await bothType(a, b)
      await delay(Math.max(0, seconds * 1000 - (performance.now() - cutMs)))
      await stage.cluster.heal()
      const healMs = performance.now()
      const same = await happens(() => areLevel(a, b, told), healMsMax)
      await delay(Math.max(0, lookMs - (performance.now() - healMs)))
      return { ...(await concludeWithLook(stage, told)), same }
    },
  }
}

const leavesTold = storeFailsOnce(
  "store-fails-once",
  "disk full for 4 s while a client writes; it leaves once it is told",
  "told",
)
const leavesLater = storeFailsOnce(
  "store-fails-once-stays",
  "disk full for 4 s while a client writes; it leaves when the disk works again",
  "later",
)
const crashNow = crashAfterAck(
  "crash-after-ack",
  "SIGKILL right after the ack; the client does not come back",
  0,
  ["lost"],
)
const crashLater = crashAfterAck(
  "crash-4s-after-ack",
  "SIGKILL 4 s after the ack; the client does not come back",
  settleMs,
  [],
)

export const matrixCases: readonly MatrixCase[] = [
  inOrder,
  together,
  crashNow,
  crashLater,
  leavesTold,
  leavesLater,
  storeFailsAtShutdown,
  malformedUpdate,
  missingPredecessor,
  networkKilled,
  outage(4, ["unstored"]),
  outage(20, ["differs", "unstored"]),
]
