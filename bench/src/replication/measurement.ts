/** What a measurement of replication is: one question, put in rounds, with the figures it gives. */

export type ReplicationScale = {
  readonly documents: number
  readonly updatesPerSide: number
  readonly updatesPerSecond: number
  readonly liveSeconds: number
  readonly idleDocuments: number
  readonly idleSeconds: number
  readonly joinDocuments: number
}

type ReplicationContext = {
  /** New and empty. */
  readonly folder: string
  readonly scale: ReplicationScale
}

export type ReplicationRun = {
  readonly values: Readonly<Record<string, number>>
  /** What turned out wrong: then the figures mean nothing. */
  readonly failures: readonly string[]
}

export type Measurement = {
  readonly name: string
  readonly title: string
  readonly columns: readonly { readonly key: string; readonly heading: string }[]
  readonly run: (context: ReplicationContext) => Promise<ReplicationRun>
}
