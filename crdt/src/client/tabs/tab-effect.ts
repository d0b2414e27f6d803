/** Everything the protocol between tabs wants done, in causal order. */
import type { DocumentId } from "../../base/index.ts"
import type { PresenceEntry } from "../../protocol/index.ts"
import type { DocumentStatus } from "../status.ts"
import type { Reign, TabId, TabMessage, TabUpdate } from "./tab-message.ts"

/** What a tab without a leader, or before its leader has it, counts by itself. */
export type Uncounted = { readonly count: number; readonly bytes: number; readonly full: boolean }

/**
 * `stolen`: storage may still be with the tab that was robbed. `crowded`: others have storage, and
 * the lock is not waited for any more. `unshared`: without locks each tab is for itself.
 */
export type LeadHow = "shared" | "stolen" | "crowded" | "unshared"

export type TabEffect =
  | { readonly type: "post"; readonly message: TabMessage }
  /** Wait for the lock, behind others; answered by `granted`, and `robbed` if it is taken away. */
  | { readonly type: "request" }
  /** Take the lock from whoever has it; answered as `request` is. */
  | { readonly type: "steal" }
  /** Answered by `looked`. */
  | { readonly type: "look" }
  /** Start the driver. */
  | { readonly type: "lead"; readonly how: LeadHow }
  /** Drop the driver: no more is sent or written by it. */
  | { readonly type: "step-down" }
  | MemberEffect
  | LeaderEffect

/** For this tab's own documents and its app. */
export type MemberEffect =
  | { readonly type: "opened"; readonly document: DocumentId }
  | { readonly type: "refused"; readonly document: DocumentId; readonly message: string }
  /** From other tabs or nodes, for a replica of this tab. */
  | {
      readonly type: "apply"
      readonly document: DocumentId
      readonly updates: readonly Uint8Array[]
    }
  | {
      readonly type: "presence"
      readonly document: DocumentId
      readonly entries: readonly PresenceEntry[]
    }
  | {
      readonly type: "document-status"
      readonly document: DocumentId
      readonly status: DocumentStatus
    }
  | { readonly type: "news"; readonly news: unknown }
  /** Comes with each change of what this tab has and its leader does not count. */
  | { readonly type: "uncounted"; readonly uncounted: Uncounted }
  | { readonly type: "answered"; readonly ask: number; readonly answer: unknown }

/** For the driver of the tab that leads. */
export type LeaderEffect =
  /** Tell once the tab is gone: `tab-gone`. */
  | { readonly type: "watch"; readonly tab: TabId }
  /** Answered by `held`, or `hold-failed`. */
  | { readonly type: "hold"; readonly document: DocumentId }
  /** This tab's own replica takes the place of the one that is held for others, or gives it up. */
  | { readonly type: "switch"; readonly document: DocumentId; readonly own: boolean }
  | { readonly type: "release"; readonly document: DocumentId }
  /** Answered by `settled` once all that the app did in the held replica by now is handed in. */
  | { readonly type: "settle"; readonly document: DocumentId }
  /** Which of them are not in storage: `checked`. */
  | { readonly type: "check"; readonly tab: TabId; readonly updates: readonly TabUpdate[] }
  /**
   * A local update; answered by `handed`, in order. `withheld`: another tab's, which no replica
   * that is filled meanwhile may have: it is shown once it is in storage.
   */
  | ({ readonly type: "hand-in"; readonly withheld: boolean } & Omit<TabUpdate, "number">)
  | {
      readonly type: "hand-presence"
      readonly document: DocumentId
      readonly client: number
      readonly state: Uint8Array
      readonly above: number
    }
  /** Apply to the replica that is held: they are in storage, and another tab's. */
  | {
      readonly type: "show"
      readonly document: DocumentId
      readonly updates: readonly Uint8Array[]
    }
  /** Post `opened` to the tab at once, with what the held replica has right now. */
  | {
      readonly type: "snapshot"
      readonly document: DocumentId
      readonly tab: TabId
      readonly present: readonly PresenceEntry[]
      readonly reign: Reign
    }
  /** Tell the tab all the news there are. */
  | { readonly type: "brief"; readonly tab: TabId }
  /** Answered by `answer`. */
  | {
      readonly type: "answer"
      readonly tab: TabId
      readonly ask: number
      readonly question: unknown
    }
