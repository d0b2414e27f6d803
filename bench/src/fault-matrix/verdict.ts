/**
 * What a run's observations mean. The rule is the same for every server: what a client was told is
 * safe must be there for a new client after a restart, nodes that can talk again must show the
 * same, and nothing may be acked that was not taken. Pure, so that it is tested with planted
 * losses.
 */

/** One word a client typed, and what became of it. */
export type Fate = {
  readonly word: string
  /** Whether its writer was told that it is safe (or, without acks, another client saw it). */
  readonly told: boolean
  /** Whether a copy of the disk, taken before clients left, shows it; undefined: not looked at. */
  readonly onDisk?: boolean
  /** Whether a new client sees it after the restart, for each server. */
  readonly after: readonly boolean[]
}

export type Observation = {
  readonly fates: readonly Fate[]
  /** Whether both nodes showed the same once they could talk again; undefined: one node. */
  readonly same?: boolean
  /** Whether it ended within the time it has after SIGTERM; undefined: it was killed. */
  readonly stoppedInTime?: boolean
  /** Whether an update that is none was acked or shown; undefined: none was sent. */
  readonly malformedTaken?: boolean
  /** Whether a new document could be opened and written during the fault. */
  readonly opensNew?: boolean
  /** Whether a server ended by itself. */
  readonly crashed?: boolean
  /** What was seen besides, in words. */
  readonly remarks?: readonly string[]
}

export const findings = [
  "lost",
  "differs",
  "false ack",
  "unstored",
  "hung",
  "crashed",
  "unavailable",
] as const

export type Finding = (typeof findings)[number]

/** What each finding says, for the report. */
export const meanings: Readonly<Record<Finding, string>> = {
  lost: "a write whose client was told it is safe is gone after a restart, on some node or on all",
  differs: "the nodes did not show the same within 15 s of being able to talk again",
  "false ack": "an update that cannot be decoded was acked as if it had been applied",
  unstored: "a write whose client was told it is safe was on no disk well after the fault was over",
  hung: "10 s after SIGTERM it still ran and had to be killed",
  crashed: "a server process ended by itself",
  unavailable: "while the fault lasted, no new document could be opened and written within 5 s",
}

/** Words that are lost: told, and missing for a new client of at least one server. */
export function lostWords({ fates }: Observation): string[] {
  return fates
    .filter(({ told, after }) => told && (after.length === 0 || after.includes(false)))
    .map(({ word }) => word)
}

/** Everything that is wrong, the worst first; none: all was kept. */
export function findingsOf(observation: Observation): Finding[] {
  const is: Readonly<Record<Finding, boolean>> = {
    lost: lostWords(observation).length > 0,
    differs: observation.same === false,
    "false ack": observation.malformedTaken === true,
    unstored: observation.fates.some(({ told, onDisk }) => told && onDisk === false),
    hung: observation.stoppedInTime === false,
    crashed: observation.crashed === true,
    unavailable: observation.opensNew === false,
  }
  return findings.filter((finding) => is[finding])
}
