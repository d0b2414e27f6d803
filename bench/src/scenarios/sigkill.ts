/**
 * SIGKILL under load, again and again on the same data: after each restart every update that any
 * reader had seen, or any writer was told is safe, must still be there, and at the end all rooms of
 * all rounds are read once more. A loss is a failure only for a server that promises durability;
 * for the others it is a figure.
 */
import { setTimeout as delay } from "node:timers/promises"
import { runJob } from "../load/load-process.ts"
import { spreadOf } from "../measure/statistics.ts"
import { startServer } from "../servers/server-process.ts"
import type { RunningServer } from "../servers/server-process.ts"
import type { RunContext, RunOutcome, Scenario } from "./scenario.ts"
import { newFolder, targetOf } from "./scenario.ts"

const roomsPerKill = 10
const updatesPerSecond = 500
const loadSecondsMax = 8
/** The load runs for this long, and up to as much again, before the server is killed. */
const loadMsMin = 600
/** Kills fall on different phases of any 2 s timer, the same way in every run. */
const killSteps = 7

type Expected = { readonly room: string; readonly seen: number; readonly acked: number }

export const sigkillScenario: Scenario = {
  name: "sigkill",
  title: "SIGKILL under load, restart, look for what was seen",
  table: "sigkill",
  suits: (server) => server.keeps === "disk",
  roundsMax: 1,
  run: async (context) => {
    const series = new KillSeries(context, await newFolder(context))
    try {
      for (let kill = 0; kill < context.scale.kills; kill += 1) await series.killOnce(kill)
      return await series.conclude()
    } finally {
      await series.close()
    }
  },
}

class KillSeries {
  readonly #context: RunContext
  readonly #folder: string
  readonly #expected: Expected[] = []
  readonly #readyMs: number[] = []
  readonly #failures: string[] = []
  #server: RunningServer | undefined

  constructor(context: RunContext, folder: string) {
    this.#context = context
    this.#folder = folder
  }

  async killOnce(kill: number): Promise<void> {
    const server = await this.#running()
    const rooms = Array.from({ length: roomsPerKill }, (_, index) => `kill-${kill}-${index}`)
    const untilKillMs = loadMsMin * (1 + (kill % killSteps) / killSteps)
    const target = targetOf(server)
    const result = await runJob(
      { kind: "drive", target, rooms, updatesPerSecond, secondsMax: loadSecondsMax },
      () => void delay(untilKillMs).then(() => server.kill()),
    )
    this.#server = undefined
    const expected = rooms.map((room, index) => ({
      room,
      seen: result.rooms.seen?.[index] ?? 0,
      acked: result.rooms.acked?.[index] ?? 0,
    }))
    this.#expected.push(...expected)
    this.#failures.push(...result.failures)
    const restarted = await this.#running()
    this.#readyMs.push(restarted.readyMs)
    const lost = await this.#lost(expected)
    this.#context.progress(
      `kill ${kill + 1}: ${lost.seen} seen and ${lost.acked} acked updates lost`,
    )
  }

  async conclude(): Promise<RunOutcome> {
    const lost = await this.#lost(this.#expected)
    const sum = (key: "seen" | "acked"): number =>
      this.#expected.reduce((total, expected) => total + expected[key], 0)
    if (sum("seen") === 0) this.#failures.push("no reader saw anything: nothing was tested")
    if (this.#context.server.durable && lost.seen > 0) {
      this.#failures.push(`lost ${lost.seen} updates that readers had seen`)
    }
    const measures = {
      kills: this.#context.scale.kills,
      seenUpdates: sum("seen"),
      seenLost: lost.seen,
      readyMs: spreadOf(this.#readyMs)?.median ?? 0,
      ...(sum("acked") === 0 ? {} : { ackedUpdates: sum("acked"), ackedLost: lost.acked }),
    }
    return { measures, failures: this.#failures }
  }

  async close(): Promise<void> {
    await this.#server?.kill()
  }

  async #running(): Promise<RunningServer> {
    this.#server ??= await startServer(this.#context.server, this.#folder)
    return this.#server
  }

  async #lost(expected: readonly Expected[]): Promise<{ seen: number; acked: number }> {
    const target = targetOf(await this.#running())
    const rooms = expected.map(({ room }) => room)
    const result = await runJob({ kind: "inspect", target, rooms })
    this.#failures.push(...result.failures)
    const lostOf = (key: "seen" | "acked"): number =>
      expected.reduce(
        (total, item, index) =>
          total + Math.max(0, item[key] - (result.rooms.stored?.[index] ?? 0)),
        0,
      )
    return { seen: lostOf("seen"), acked: lostOf("acked") }
  }
}
