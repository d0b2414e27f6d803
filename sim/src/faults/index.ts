/** Every fault there is. The names are what `--faults` takes. */
import { appFaults, forgetFaults } from "./app-faults.ts"
import { clientDiskFaults, laterClientDiskFaults } from "./client-disk-faults.ts"
import { clientFaults } from "./client-faults.ts"
import { clockFaults } from "./clock-faults.ts"
import { deletionFaults } from "./deletion-faults.ts"
import { diskFaults, readFaults } from "./disk-faults.ts"
import type { Fault } from "./fault.ts"
import { hostileFaults } from "./hostile-faults.ts"
import { memberFaults } from "./member-faults.ts"
import { messageFaults } from "./message-faults.ts"
import { networkFaults, silentFaults } from "./network-faults.ts"
import { nodeFaults } from "./node-faults.ts"
import { partitionFaults } from "./partition-faults.ts"
import { jobFaults, processFaults } from "./process-faults.ts"
import { strandedFaults } from "./stranded-faults.ts"
import { tabFaults } from "./tab-faults.ts"

export { scoreboardRows } from "./fault.ts"
export type { Fault } from "./fault.ts"
export { FaultSchedule } from "./schedule.ts"
export type { DrawnFault, FaultEvent } from "./schedule.ts"

export const allFaults: readonly Fault[] = [
  ...networkFaults,
  ...messageFaults,
  ...partitionFaults,
  ...nodeFaults,
  ...diskFaults,
  ...processFaults,
  ...clockFaults,
  ...clientFaults,
  ...clientDiskFaults,
  ...hostileFaults,
  ...silentFaults,
  ...jobFaults,
  ...readFaults,
  ...strandedFaults,
  ...appFaults,
  ...memberFaults,
  ...deletionFaults,
  ...laterClientDiskFaults,
  ...forgetFaults,
  ...tabFaults,
]
