/**
 * All scenarios in the order they run and are reported.
 */
import { ackScenario } from "./ack.ts"
import { fanOutScenarios } from "./fan-out.ts"
import { idleScenario } from "./idle.ts"
import type { Scenario } from "./scenario.ts"
import { sigkillScenario } from "./sigkill.ts"
import { createStartScenario } from "./start.ts"

/** A fresh set of scenarios: some remember what they prepared for the length of one benchmark. */
export function createScenarios(): readonly Scenario[] {
  return [...fanOutScenarios, idleScenario, ackScenario, createStartScenario(), sigkillScenario]
}
