/** Why a command could not do what it was told: one line for the operator, exit code 1. */
import { StartError } from "../start-error.ts"
import { StoreOpenError } from "../store/errors.ts"

export class CommandError extends Error {
  override readonly name = "CommandError"
}

/** Everything else is a bug, and ends the process with its stack. */
const told = [CommandError, StoreOpenError, StartError] as const

/** Runs a command; its exit code is what it gives. */
export async function runCommand(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    const isTold = told.some((kind) => error instanceof kind)
    if (!isTold || !(error instanceof Error)) throw error
    process.stderr.write(`causeway: ${error.message}\n`)
    process.exitCode = 1
  }
}

/** What a long command tells while it works; stdout is for its result. */
export function say(message: string): void {
  process.stderr.write(`${message}\n`)
}
