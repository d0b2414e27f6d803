/** The node core's state machine. */
import { unreachable } from "../base/index.ts"
import type { Millis } from "../base/index.ts"
import type { NodeConfig } from "./config.ts"
import type { Effect } from "./effect.ts"
import type { Input } from "./input.ts"
import type { NodeStatus } from "./status.ts"

export class NodeCore {
  constructor(_config: NodeConfig, _nowMs: Millis) {}
  step(_input: Input, _nowMs: Millis, _effects: Effect[]): void {}
  nextDeadline(): { atMs: Millis; reason: string } | undefined {
    return undefined
  }
  status(): NodeStatus {
    return unreachable(undefined as never)
  }
}
