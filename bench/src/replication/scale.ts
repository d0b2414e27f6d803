/** Sizes of the measurements of replication. */
export type ReplicationScale = {
  readonly documents: number
  readonly updatesPerSide: number
  readonly updatesPerSecond: number
  readonly liveSeconds: number
  readonly idleDocuments: number
  readonly idleSeconds: number
  readonly joinDocuments: number
}
