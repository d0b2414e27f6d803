/** How a store's test hands its store to the contract suites: fixtures, and what it supports. */
import { onTestFinished } from "vitest"
import type { DocumentId } from "../base/index.ts"
import type { Dot } from "../clock/index.ts"
import type { ReopenDoubt, Store } from "../ports/index.ts"
import type { CrashStore } from "./store-crash-contract.ts"
import { close } from "./store-fixtures.ts"

export type StoreFixture = {
  /** Opens the store of this fixture; again, if durable, after it was closed. */
  open(doubt?: ReopenDoubt): Promise<Store>
  /** Makes these entries unreadable on the disk; the fixture's store is closed. */
  damage?(dots: readonly Dot[]): Promise<void>
  /** Makes these documents' snapshots unreadable; the fixture's store is closed. */
  damageSnapshots?(documents: readonly DocumentId[]): Promise<void>
  /** Removes what the fixture made; its stores are closed by then. */
  remove(): Promise<void>
}

/** How to make a fixture, and what the store can do beyond the port's minimum. */
export type StoreUnderTest = {
  fixture(): Promise<StoreFixture>
  readonly supports: {
    /** What was appended is there after close and open. */
    readonly durable: boolean
    /** Its fixture can damage entries. */
    readonly damage: boolean
    /** What was acked is there after the process was killed; undefined: no such claim. */
    readonly crash: CrashStore | undefined
  }
  /** Random histories to compare with the model; more is slower. */
  readonly modelRuns: number
}

/** A store that is closed and removed when the test ends. */
export type OpenedFixture = {
  store: Store
  /** Closes the store, lets `meanwhile` happen to the disk, and opens it again. */
  reopen(doubt?: ReopenDoubt, meanwhile?: (fixture: StoreFixture) => Promise<void>): Promise<Store>
}

export async function openFixture(underTest: StoreUnderTest): Promise<OpenedFixture> {
  const fixture = await underTest.fixture()
  const opened: OpenedFixture = {
    store: await fixture.open(),
    reopen: async (doubt, meanwhile) => {
      await close(opened.store)
      await meanwhile?.(fixture)
      opened.store = await fixture.open(doubt)
      return opened.store
    },
  }
  onTestFinished(async () => {
    await close(opened.store)
    await fixture.remove()
  })
  return opened
}
