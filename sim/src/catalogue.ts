/**
 * What a run is made of: the built-in faults, workloads and invariants, or these and your own, or
 * only your own.
 */
import { allFaults } from "./faults/index.ts"
import type { Fault } from "./faults/index.ts"
import { allInvariants } from "./invariants/index.ts"
import type { Invariant } from "./invariants/index.ts"
import { allWorkloads } from "./workloads/index.ts"
import type { Workload } from "./workloads/index.ts"

export type Catalogue = {
  /** The seed draws which of them a run has, and at which rate. */
  readonly faults: readonly Fault[]
  /** The seed draws one. */
  readonly workloads: readonly Workload[]
  /** All are watched. */
  readonly invariants: readonly Invariant[]
}

export const builtIn: Catalogue = {
  faults: allFaults,
  workloads: allWorkloads,
  invariants: allInvariants,
}
