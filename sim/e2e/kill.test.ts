/**
 * SIGKILL under load. Whatever a reader, another node or an ack had shown before must be on the
 * killed node's own disk: it is looked at after a restart with every cable cut and no client
 * connected, so that nobody can bring it back what it lost.
 */
import { expect, onTestFinished, test } from "vitest"
import { SimRandom } from "../src/random.ts"
import type { Cluster } from "../demo/cluster.ts"
import type { NodeProcess } from "../demo/node-process.ts"
import { documentOf } from "../demo/status.ts"
import type { StockClient } from "../demo/stock-client.ts"
import { pause, until } from "../demo/wait.ts"
import { NativeWriter } from "./test/native-writer.ts"
import { isFull, joinAt, startCluster } from "./test/start.ts"

const room = "kill"
const kills = isFull ? 8 : 3
/** Each writer appends to an array of its own, so what is held of it is a length. */
const arrays = ["native", "stock", "far"] as const
type Lengths = Readonly<Record<(typeof arrays)[number], number>>

/** On A, which gets killed: a native and a stock writer, and a reader. On B the same but native. */
type World = {
  readonly cluster: Cluster
  readonly native: NativeWriter
  readonly stock: StockClient
  readonly reader: StockClient
  readonly far: StockClient
  readonly farReader: StockClient
}

const title = `SIGKILL under load, ${kills} times: nothing acked or shown is lost`

test(`[D1] [D2] [N5] [N2] ${title}`, async () => {
  const world = await startWorld()
  const random = new SimRandom(1)
  for (let kill = 1; kill <= kills; kill++) {
    await connect(world)
    const load = startLoad(world)
    const target = world.native.acked + random.int(100, 600)
    await until(`${target} updates are acked`, () => world.native.acked >= target)
    // An ack just now means that a commit has just ended: killed at any other moment, too.
    await pause(random.int(0, 25))
    await node(world, "a").kill()
    clearInterval(load)
    await disconnect(world)
    const shown = await shownBeforeKill(world)
    expect(shown.native).toBeGreaterThanOrEqual(target)
    await world.cluster.restart("a")
    const held = await lengthsOn(node(world, "a"))
    for (const array of arrays) {
      expect(held[array], `kill ${kill}: ${array}`).toBeGreaterThanOrEqual(shown[array])
    }
  }
  await connect(world)
  await everythingArrives(world)
}, 300_000)

async function startWorld(): Promise<World> {
  const cluster = await startCluster("a", "b")
  const native = new NativeWriter(room, "native")
  onTestFinished(() => native.destroy())
  const [stock, reader] = [await joinAt(cluster, "a", room), await joinAt(cluster, "a", room)]
  const [far, farReader] = [await joinAt(cluster, "b", room), await joinAt(cluster, "b", room)]
  return { cluster, native, stock, reader, far, farReader }
}

function startLoad({ native, stock, far }: World): NodeJS.Timeout {
  const append = (client: StockClient, name: string) => {
    const array = client.doc.getArray<number>(name)
    array.push([array.length])
  }
  return setInterval(() => {
    for (let count = 0; count < 3; count++) {
      native.write()
      append(stock, "stock")
      append(far, "far")
    }
  }, 1)
}

async function connect({ cluster, native, stock, reader }: World): Promise<void> {
  cluster.heal()
  for (const { provider } of [stock, reader]) provider.connect()
  await Promise.all([stock.synced(), reader.synced(), native.connect(cluster.node("a").url)])
}

/** Everything that had reached a client of A before the kill is read; then A is left alone. */
async function disconnect({ cluster, native, stock, reader }: World): Promise<void> {
  cluster.cut([["a"], ["b"]])
  const isOver = () =>
    !native.isConnected && !stock.provider.wsconnected && !reader.provider.wsconnected
  await until("A's clients have noticed", isOver)
  for (const { provider } of [stock, reader]) provider.disconnect()
}

/** The most that anybody but its writer had seen of each array. */
async function shownBeforeKill(world: World): Promise<Lengths> {
  const onB = await lengthsOn(node(world, "b"))
  const seen = [world.reader, world.farReader].map(lengthsAt)
  // What was written on B counts for A only if a client of A had it from A.
  const far = Math.max(lengthsAt(world.reader).far, lengthsAt(world.stock).far)
  const most = (array: "native" | "stock") =>
    Math.max(onB[array], ...seen.map((lengths) => lengths[array]))
  return { native: Math.max(most("native"), world.native.acked), stock: most("stock"), far }
}

/** What was not saved is sent again by whoever wrote it, and reaches everybody. */
async function everythingArrives(world: World): Promise<void> {
  const { native, stock, far, reader, farReader, cluster } = world
  const written: Lengths = {
    native: native.written,
    stock: lengthsAt(stock).stock,
    far: lengthsAt(far).far,
  }
  for (const client of [stock, reader, far, farReader]) {
    await until("a client has everything", () => isEqual(lengthsAt(client), written))
  }
  await until("all is acked", () => native.acked === native.written)
  for (const each of cluster.nodes) expect(await lengthsOn(each)).toEqual(written)
}

function node({ cluster }: World, name: string): NodeProcess {
  return cluster.node(name)
}

function lengthsAt({ doc }: StockClient): Lengths {
  const length = (name: string) => doc.getArray(name).length
  return { native: length("native"), stock: length("stock"), far: length("far") }
}

/** @throws Error if an array is not 0, 1, 2 … without a gap */
async function lengthsOn(process: NodeProcess): Promise<Lengths> {
  const json = await documentOf(process, room)
  const length = (name: string) => {
    const array = json[name] ?? []
    if (!Array.isArray(array)) throw new Error(`${name} is no array`)
    expect(array).toEqual(Array.from(array, (_, index) => index))
    return array.length
  }
  return { native: length("native"), stock: length("stock"), far: length("far") }
}

function isEqual(left: Lengths, right: Lengths): boolean {
  return arrays.every((array) => left[array] === right[array])
}
