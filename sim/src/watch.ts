/**
 * Tells each event of a run to all who want to hear of it, in the order in which they were
 * added: whoever reports an event knows one watcher, and that is this one.
 */
import type { Effect, Input } from "@causeway/crdt/node"
import type { SimNode } from "./sim-node.ts"
import type { Watcher } from "./watcher.ts"

type Event<Name extends keyof Watcher> = Parameters<Required<Watcher>[Name]>
type Hearing<Name extends keyof Watcher> = Required<Pick<Watcher, Name>>

function hears<Name extends keyof Watcher>(
  watcher: Watcher,
  name: Name,
): watcher is Watcher & Hearing<Name> {
  return watcher[name] !== undefined
}

export class Watch implements Required<Watcher> {
  readonly #watchers: Watcher[] = []
  /** Who hears of what there is most of: asking all of them whether they do costs more. */
  readonly #ofInputs: Hearing<"onNodeInput">[] = []
  readonly #ofEffects: Hearing<"onNodeEffect">[] = []
  readonly #ofSteps: Hearing<"onNodeStepped">[] = []

  add(watcher: Watcher): void {
    this.#watchers.push(watcher)
    if (hears(watcher, "onNodeInput")) this.#ofInputs.push(watcher)
    if (hears(watcher, "onNodeEffect")) this.#ofEffects.push(watcher)
    if (hears(watcher, "onNodeStepped")) this.#ofSteps.push(watcher)
  }

  onWrite(...[writer, document, token, update]: Event<"onWrite">): void {
    for (const each of this.#watchers) each.onWrite?.(writer, document, token, update)
  }

  onStored(...[document, update, disk]: Event<"onStored">): void {
    for (const each of this.#watchers) each.onStored?.(document, update, disk)
  }

  onDifference(...[writer, document, update]: Event<"onDifference">): void {
    for (const each of this.#watchers) each.onDifference?.(writer, document, update)
  }

  onSaved(...[writer, document, tier, writes]: Event<"onSaved">): void {
    for (const each of this.#watchers) each.onSaved?.(writer, document, tier, writes)
  }

  onDelivered(...[writer, document, updates]: Event<"onDelivered">): void {
    for (const each of this.#watchers) each.onDelivered?.(writer, document, updates)
  }

  onLetGo(...[writer, document]: Event<"onLetGo">): void {
    for (const each of this.#watchers) each.onLetGo?.(writer, document)
  }

  onDiscarded(...[writer, document, client]: Event<"onDiscarded">): void {
    for (const each of this.#watchers) each.onDiscarded?.(writer, document, client)
  }

  onForgotten(...[writer, storage]: Event<"onForgotten">): void {
    for (const each of this.#watchers) each.onForgotten?.(writer, storage)
  }

  onRefused(...[writer, code]: Event<"onRefused">): void {
    for (const each of this.#watchers) each.onRefused?.(writer, code)
  }

  onConnected(...[writer, node]: Event<"onConnected">): void {
    for (const each of this.#watchers) each.onConnected?.(writer, node)
  }

  onDurable(...[node, batch, firstSeq]: Event<"onDurable">): void {
    for (const each of this.#watchers) each.onDurable?.(node, batch, firstSeq)
  }

  onDiskChanged(...[node, change]: Event<"onDiskChanged">): void {
    for (const each of this.#watchers) each.onDiskChanged?.(node, change)
  }

  onNodeStarted(...[node]: Event<"onNodeStarted">): void {
    for (const each of this.#watchers) each.onNodeStarted?.(node)
  }

  onNodeInput(node: SimNode, input: Input): void {
    for (const each of this.#ofInputs) each.onNodeInput(node, input)
  }

  onNodeEffect(node: SimNode, effect: Effect): void {
    for (const each of this.#ofEffects) each.onNodeEffect(node, effect)
  }

  onNodeStepped(node: SimNode): void {
    for (const each of this.#ofSteps) each.onNodeStepped(node)
  }

  onNodeEnded(...[node, how]: Event<"onNodeEnded">): void {
    for (const each of this.#watchers) each.onNodeEnded?.(node, how)
  }

  onArrived(...[from, to, connection, frame]: Event<"onArrived">): void {
    for (const each of this.#watchers) each.onArrived?.(from, to, connection, frame)
  }

  onCut(...[directions]: Event<"onCut">): void {
    for (const each of this.#watchers) each.onCut?.(directions)
  }

  onHealed(...[directions]: Event<"onHealed">): void {
    for (const each of this.#watchers) each.onHealed?.(directions)
  }

  onFault(...[fault, state]: Event<"onFault">): void {
    for (const each of this.#watchers) each.onFault?.(fault, state)
  }

  onPhase(...[phase]: Event<"onPhase">): void {
    for (const each of this.#watchers) each.onPhase?.(phase)
  }

  onTick(...[nowMs]: Event<"onTick">): void {
    for (const each of this.#watchers) each.onTick?.(nowMs)
  }

  onRest(): void {
    for (const each of this.#watchers) each.onRest?.()
  }
}
