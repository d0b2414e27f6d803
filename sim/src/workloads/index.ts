/** Every workload there is. The names are what `--workload` takes. */
import { automergeCounters } from "./automerge-counters.ts"
import { automerge } from "./automerge.ts"
import { bigDocuments } from "./big-documents.ts"
import { hotDocument } from "./hot-document.ts"
import { manyDocuments } from "./many-documents.ts"
import { mixed } from "./mixed.ts"
import { openTabs } from "./open-tabs.ts"
import { presence } from "./presence.ts"
import { splitBirths } from "./split-births.ts"
import { trace } from "./trace.ts"
import { visitors } from "./visitors.ts"
import type { Workload } from "./workload.ts"
import { yjsMapArray } from "./yjs-map-array.ts"
import { yjsRichText } from "./yjs-rich-text.ts"
import { yjsText } from "./yjs-text.ts"

export type { LoadShape, Workload } from "./workload.ts"

export const allWorkloads: readonly Workload[] = [
  mixed,
  yjsText,
  yjsRichText,
  yjsMapArray,
  automerge,
  automergeCounters,
  manyDocuments,
  hotDocument,
  bigDocuments,
  visitors,
  openTabs,
  presence,
  splitBirths,
  trace,
]
