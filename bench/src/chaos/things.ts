/**
 * What a run leaves on the machine while it lasts (processes, mounts, network namespaces), and
 * how each is undone. The runner and the janitor share it, so that a crash of the runner leaves no
 * more behind than its end. A process is known by its id and its start: ids are used again.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"

export type Thing =
  | { readonly type: "process"; readonly pid: number; readonly startTicks: string }
  | { readonly type: "mount"; readonly path: string }
  | { readonly type: "namespace"; readonly name: string }

const commandMsMax = 10_000

/** Runs a command of the system. @throws Error with what it said */
export function system(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: "utf8",
    timeout: commandMsMax,
    stdio: ["ignore", "pipe", "pipe"],
  })
}

/** The process as it can be found again. @throws Error if it has ended */
export function processThing(pid: number): Thing {
  return { type: "process", pid, startTicks: startTicksOf(pid) }
}

/** Position of the start time in /proc/PID/stat, counted after the closing parenthesis. */
const startTicksField = 19

function startTicksOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[startTicksField] ?? ""
}

/** Undoes it for good; nothing if it is gone already. */
export function undo(thing: Thing): void {
  try {
    switch (thing.type) {
      case "process":
        // A paused process dies of SIGKILL as well.
        if (startTicksOf(thing.pid) === thing.startTicks) process.kill(thing.pid, "SIGKILL")
        return
      case "mount":
        system("umount", "--lazy", thing.path)
        return
      case "namespace":
        // Its cables go with it.
        system("ip", "netns", "delete", thing.name)
    }
  } catch {
    // Gone already, which is what is wanted.
  }
}
