/**
 * The names of everything that is measured, each with its unit in the name. One list, so that the
 * load generator, the tables and the JSON file cannot disagree about a name.
 */

export type MeasureName =
  | "cpuMicrosPerDelivered"
  | "cpuMicrosPerSent"
  | "cpuMicrosPerSentDeferred"
  | "cpuIdlePercent"
  | "visibleP50Ms"
  | "visibleP99Ms"
  | "visibleMaxMs"
  | "ackP50Ms"
  | "ackP99Ms"
  | "latenessP99Ms"
  | "sentPerSecond"
  | "drainMs"
  | "updatesPerFrame"
  | "deliveredShare"
  | "loadCpuPercent"
  | "othersCpuPercent"
  | "residentMb"
  | "residentPeakMb"
  | "residentEmptyMb"
  | "residentKbPerDocument"
  | "openSeconds"
  | "syncOverwriteP50Ms"
  | "syncAppendP50Ms"
  | "visiblePerSync"
  | "ackPerSync"
  | "readyMs"
  | "fillSeconds"
  | "documents"
  | "kills"
  | "seenUpdates"
  | "seenLost"
  | "ackedUpdates"
  | "ackedLost"

/** What one run of one server measured. */
export type Measures = Readonly<Partial<Record<MeasureName, number>>>
