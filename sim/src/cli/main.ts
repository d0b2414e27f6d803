/**
 * `npm run sim`: the simulator's shell. With `swarm/` and `mutants/` the only place of the
 * simulator that knows the real clock, the process and its arguments.
 */
import { Command, CommanderError, InvalidArgumentError } from "commander"
import { addFaults } from "./faults.ts"
import { exitCodes } from "./arguments.ts"
import { addMesh } from "./mesh.ts"
import { addMutants } from "./mutants.ts"
import { addRun } from "./run.ts"
import { addShow } from "./show.ts"
import { addShrink } from "./shrink.ts"
import { addSpeed } from "./speed.ts"
import { addSwarm } from "./swarm.ts"

const program = new Command("sim")
  .description("Causeway's simulator: whole clusters on virtual time, with faults and a judge.")
  .addHelpText(
    "after",
    "\nExit codes: 0 all promises kept, 1 one was broken, 2 bad arguments, 130 interrupted." +
      "\n`sim run --help` and so on say more; docs/simulator.md says how to add your own.",
  )
addRun(program)
addSwarm(program)
addShrink(program)
addShow(program)
addSpeed(program)
addMesh(program)
addFaults(program)
addMutants(program)
for (const command of [program, ...program.commands]) command.exitOverride()

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  // Commander has said what was wrong, but for what could only be checked later.
  if (error instanceof InvalidArgumentError) process.stderr.write(`error: ${error.message}\n`)
  else if (!(error instanceof CommanderError)) throw error
  return error.exitCode === 0 ? exitCodes.kept : exitCodes.refused
}
