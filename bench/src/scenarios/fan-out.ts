/**
 * The CPU and latency scenarios: `documents x readers` at a rate over all documents. Each document
 * has one writer besides its readers. Shapes are those of the reference figures: one busy document
 * with a hundred readers, three hundred documents with two readers each, twenty with five each.
 */
import type { RunContext, RunOutcome, Scenario } from "./scenario.ts"
import { runOnFreshServer } from "./scenario.ts"

type Shape = {
  readonly name: string
  readonly documents: number
  readonly readersPerDocument: number
  readonly updatesPerSecond: number
}

const shapes: readonly Shape[] = [
  { name: "1x100-200", documents: 1, readersPerDocument: 100, updatesPerSecond: 200 },
  { name: "1x100-2000", documents: 1, readersPerDocument: 100, updatesPerSecond: 2000 },
  { name: "300x2", documents: 300, readersPerDocument: 2, updatesPerSecond: 2000 },
  { name: "20x5", documents: 20, readersPerDocument: 5, updatesPerSecond: 1000 },
]

export const fanOutScenarios: readonly Scenario[] = shapes.map((shape) => ({
  name: shape.name,
  title: titleOf(shape),
  table: "fan-out",
  suits: () => true,
  run: (context) => runShape(shape, context),
}))

function titleOf({ documents, readersPerDocument, updatesPerSecond }: Shape): string {
  const what = documents === 1 ? "1 document" : `${documents} documents, each`
  return `${what} with 1 writer and ${readersPerDocument} readers, ${updatesPerSecond} upd/s in all`
}

/** One round of one shape. */
async function runShape(shape: Shape, context: RunContext): Promise<RunOutcome> {
  const { seconds, warmupSeconds, deferredSeconds } = context.scale
  return runOnFreshServer(context, (target) => {
    const { documents, readersPerDocument, updatesPerSecond } = shape
    const size = { documents, readersPerDocument, updatesPerSecond }
    return { kind: "fan-out", target, ...size, seconds, warmupSeconds, deferredSeconds }
  })
}
