/** Every workload there is. The names are what `--workload` takes. */
import { mixed } from "./mixed.ts"
import type { Workload } from "./workload.ts"

export type { Workload } from "./workload.ts"

export const allWorkloads: readonly Workload[] = [mixed]
