/**
 * Every bound in one place. What happens past each one stands beside it and is tested on both
 * sides. Bytes and counts are inclusive maxima.
 */
const KiB = 1024
const MiB = 1024 * KiB

export const limits = {
  /** A document's name in UTF-8 bytes. Past it: close 4404 (stock) or 4400 (native). */
  documentNameBytesMax: 512,
  /** How often a name may be created. Past it: creating it again is refused, `too-many`. */
  generationMax: 65_536,
  /**
   * Records of documents that were deleted or created again. Past it: refused, `too-many`; those of
   * other nodes still count. All are in the memory of every node.
   */
  deletionsMax: 50_000,
  /**
   * One update; for a stock client also its answer to step 1, all that the node lacks at once.
   * Past it: reject `too-large` (native), close 4413 (stock).
   */
  updateBytesMax: 32 * MiB,
  /** One frame from a client or peer. Past it: close 4413 `too-large`. */
  frameBytesMax: 34 * MiB,
  /** Updates in one native update frame. Past it: close 4400 `malformed`. */
  updatesPerFrameMax: 4096,
  /** Tokens, reasons and other text on the wire, in bytes. Past it: close 4400. */
  textBytesMax: 8 * KiB,
  /** A node's address as peers are told it. Past it: close 4400. */
  addressBytesMax: 512,
  /** Nodes whose addresses one peer is told, and that are dialled unasked. Past it: not told. */
  membersMax: 256,
  /** Origins in a version vector. Past it: close 4400. */
  originsMax: 4096,
  /** The last seq that an origin may have in a transfer. Past it: close 4400. */
  seqMax: 2 ** 40 - 1,
  /** A state vector or heads. Past it: close 4400. */
  summaryBytesMax: 1 * MiB,

  /** Documents one native connection may have open. Past it: the document closes, `too-many`. */
  channelsPerConnectionMax: 10_000,
  /**
   * Documents from which on a connection is told how far it has everything, and a client watches
   * them after a reconnect. Below it: each is opened, which costs little more.
   */
  watchMin: 16,
  /** Origins of a vector that clients are told again and again. Past it: never, and each opens. */
  caughtUpOriginsMax: 64,
  /** Changed documents that are read for one watch, by pages. Past it: all may have changed. */
  watchPageDocuments: 1024,
  watchPagesMax: 16,
  /** Unacked update bytes a native client may have under way. Past it: reject `overloaded`. */
  clientWindowBytes: 4 * MiB,
  /** Entries waiting for the next commit. Past it: reject `overloaded`, stock: close 4501. */
  openBatchEntriesMax: 8192,
  openBatchBytesMax: 48 * MiB,
  /**
   * Adopted entries of one commit; one run may have as many. So neither a client's write nor a read
   * stands behind many of them. Past it: the commit after.
   */
  adoptedBatchEntriesMax: 4096,
  /** Adopted entries that wait for the log. Past it: dropped, and asked for when half are gone. */
  adoptedWaitingEntriesMax: 65_536,
  adoptedWaitingBytesMax: 48 * MiB,
  /** Under load commits start this far apart (ADR 7). */
  commitPaceMs: 8,
  /** The same for commits of nothing but what peers sent: nobody here waits for them. */
  adoptPaceMs: 24,
  /** After a quiet time so many start at once, so a few writers never wait for the pace. */
  commitBurst: 4,
  /** Bytes of updates that lack a predecessor, per document. Past it: `missing-predecessors`. */
  pendingBytesMax: 1 * MiB,
  /** Merged state and tails kept for open documents. Past it: the least recent is read again. */
  documentCacheBytesMax: 64 * MiB,
  /**
   * One document's log when it is written to, at least so much below `documentReadBytesMax` as two
   * batches hold. Past it: reject `too-large` (native), close 4413 (stock).
   */
  documentLogBytesMax: 160 * MiB,
  /** One document's log as a read returns it. Past it: `document-too-large`. */
  documentReadBytesMax: 256 * MiB,
  /** Reads of documents or their tails at a time. Past it: they wait in the order of asking. */
  documentReadsMax: 16,
  /** Documents without a session stay in memory at most this many at a time. */
  idleDocumentsMax: 1024,

  /** Presence states per document and bytes of each. Past it: the state is ignored and counted. */
  presenceClientsMax: 1024,
  presenceStateBytesMax: 16 * KiB,
  presenceEntriesPerFrameMax: 1024,
  /** A presence state nobody renewed for this long is gone. */
  presenceTtlMs: 30_000,
  /**
   * Who shows presence speaks this often at least, a peer with every sweep; of who was not heard
   * for the other time it is taken away. So it is gone within five seconds of a lost client.
   */
  presencePingMs: 2000,
  presenceSilentMs: 4500,

  /** Entry bytes a peer may have under way to us before its vector says they are durable. */
  linkWindowBytes: 4 * MiB,
  /** Entries and record bytes in one link frame (one record may exceed the bytes alone). */
  linkFrameEntriesMax: 4096,
  linkFrameBytes: 256 * KiB,
  /** Vectors go out at this interval, with full jitter on top of half of it. */
  linkVectorIntervalMs: 1000,
  /** After an adoption they go out this soon, jittered by half. */
  linkVectorSoonMs: 20,
  /**
   * With more links than this, only who brought what was adopted is told so soon, and pushes are
   * so far apart by default, for each link.
   */
  linkEagerLinksMax: 8,
  pushDelayEachMs: 10,
  /** After a quiet time so many pushes go at once, so a few writers never wait for the delay. */
  pushBurst: 4,
  pushDelayDefaultMsMax: 250,
  /** As it may be set: far below `linkWantMs`, or peers would ask others. Past it: refused. */
  pushDelayMsMax: 1000,
  linkPingMs: 2000,
  linkSilentMs: 15_000,
  linkHandshakeMs: 5000,
  linkBackoffMsMin: 100,
  /** ADR 6: most of a heal is waiting for the next dial. */
  linkBackoffMsMax: 3000,
  /** A link that lived this long resets the back-off. */
  linkStableMs: 30_000,
  /** A pull that brought nothing for this long may be asked of another peer. */
  linkWantMs: 5000,
  /** Origins that one peer is asked for at a time. Past it: the others as answers come. */
  linkWantsMax: 128,
  /**
   * Links of one node; two that dial each other have two for a moment, so this suits some 120
   * nodes. Past it: close 4501 `overloaded`, the oldest that dialled in and proved nothing first.
   */
  linksMax: 256,

  /** A peer out of reach for less is no partition: processes restart. */
  partitionMsMin: 5000,
  /** Documents told apart on each side of a split. Past it the report says "at least". */
  partitionDocumentsMax: 16_384,
  /** Documents changed on both sides that a report names. Past it they are only counted. */
  partitionNamedMax: 100,
  /** A loss is noticed this late at most; past the count, what is forgotten makes a lower bound. */
  partitionRecentMs: 25_000,
  partitionRecentEntriesMax: 65_536,
  /** Members of one split that come back later than this after the others get their own report. */
  partitionStragglerMs: 30_000,
  /** A report waits so long for all to be level, then it says that they are not. */
  partitionConvergeMs: 600_000,

  /** Documents of one page of a state transfer, in bytes; one document may exceed it. */
  transferPageBytes: 1 * MiB,
  /** Documents of one page. */
  transferDocumentsMax: 256,
  /** Clients of one page. */
  transferClientsMax: 16_384,
  /** Entries of no document of one page, which has `transferPageBytes` of them at most. */
  transferRecordsMax: 4096,
  /** Entries of no document that wait for a transfer's end, each 256 bytes more. Past it: 4400. */
  transferRecordsWeightMax: 256 * MiB,
  /** Updates that one document's log may have apart from each other. Past it: close 4400. */
  documentPartsMax: 4_194_304,
  /** A page of which nothing came for so long is asked for anew, of another peer if there is. */
  transferPatienceMs: 15_000,
  /**
   * Who brought nothing of an origin that it has only documents of is believed that again after
   * `transferPatienceMs`, doubling to this.
   */
  transferVainMsMax: 3_600_000,

  /** Leaves of one bucket in one message. Past it: the first of them. */
  digestLeavesMax: 1024,
  /** From the end of one pass over changed documents to the next. */
  digestPassMs: 20_000,
  /** Nodes compare this often, with full jitter on top of half of it. */
  digestRoundMs: 60_000,
  /** What one side sends of digests to one peer in a round. Past it: the next round goes on. */
  digestRoundBytes: 64 * KiB,
  /** Divergences that are listed. Past it: only counted and logged. */
  divergencesMax: 1000,

  /**
   * A process that opened its store anew for a doubt waits so long until the next such opening;
   * while peers are the cause it doubles up to the maximum. Until then a fork is only reported
   * and a record that can't be read goes on failing its readers.
   */
  reopenPauseMs: 60_000,
  reopenPauseMsMax: 3_600_000,

  /** A session that has not said hello by then is closed (4504). */
  helloMs: 10_000,
  /** A token is good for no longer than this from when it was checked; then it is shown again. */
  tokenMsMax: 86_400_000,
  /** Stock sessions get an empty awareness frame when nothing else was sent for this long. */
  stockHeartbeatMs: 12_000,
  /** Native clients ping this often and call the socket dead after three times as long. */
  clientHeartbeatMs: 5000,
  clientSilentMs: 20_000,
  /** The node looks after ages and heartbeats this often. */
  sweepMs: 2500,
  /** A socket that stays over its byte budget for this long is closed (4502, retryable). */
  congestedMs: 60_000,
  /** A failing store is tried again after this long, doubling to the maximum. */
  storeRetryMsMin: 250,
  storeRetryMsMax: 5000,

  /** Client core: back-off between connection attempts, full jitter. */
  clientBackoffMsMin: 100,
  clientBackoffMsMax: 30_000,
  clientHandshakeMs: 10_000,
  /** Client core: bytes of one update frame when the outbox is sent (one update may exceed it). */
  clientFrameBytes: 64 * KiB,
} as const
