/** Bounds of tabs that share one client. */
const MiB = 1024 * 1024

export const tabLimits = {
  /** Tabs beyond those of one leader have a socket each. */
  tabsMax: 32,
  /**
   * Bytes that wait in a tab until its leader has stored them. What was typed can't be refused, so
   * past it nothing is dropped: the pending status says `full`.
   */
  tabOutboxBytesMax: 64 * MiB,
  /** Of updates in one message, unless it is a single one. */
  messageBytesMax: 4 * MiB,
  /** A tab asks whether its leader is there as often; hidden tabs' timers come less often. */
  pingMs: 250,
  /** A leader that answered none of so many questions, for so long, is robbed of the lock. */
  pingsUnansweredMin: 4,
  silentMs: 1000,
  /**
   * A leader that has not looked for so long whether it still has the lock looks before it does
   * anything. Less than `silentMs`: whoever was robbed finds out before it does harm.
   */
  leaseMs: 600,
  /** Who has robbed a leader waits so long for others who do the same. */
  graceMs: 60,
} as const
