/** Sizes of the measurements of the SDK. */
export type ClientScale = {
  readonly keystrokes: number
  readonly editsPerSecond: number
  readonly editSeconds: number
  /** Transactions of the trace that are typed; all, if there are fewer. */
  readonly traceEdits: number
  readonly opens: number
  readonly offlineUpdates: number
  readonly offlineDocuments: number
}

export const fullScale: ClientScale = {
  keystrokes: 3000,
  editsPerSecond: 10_000,
  editSeconds: 10,
  traceEdits: 1_000_000,
  opens: 9,
  offlineUpdates: 100_000,
  offlineDocuments: 200,
}

export const quickScale: ClientScale = {
  keystrokes: 100,
  editsPerSecond: 1000,
  editSeconds: 1,
  traceEdits: 5000,
  opens: 2,
  offlineUpdates: 2000,
  offlineDocuments: 20,
}
