/**
 * ws's socket, except that ws does not choose the close code when bytes are not a WebSocket's:
 * the connection reports them as a bad frame, and the core closes with a code of its table, which
 * is what stock clients go by ([F4], [F7]).
 */
import { WebSocket } from "ws"

export class NodeSocket extends WebSocket {
  /**
   * ws's receiver closes with a code alone after bytes it can't read, and emits `error` next;
   * an answer to the peer's close frame, and we, give a reason too (or no code at all).
   */
  override close(code?: number, reason?: string | Buffer): void {
    if (code !== undefined && reason === undefined) return
    super.close(code, reason)
  }
}
