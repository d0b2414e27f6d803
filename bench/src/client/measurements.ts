/** What is measured of the SDK. */
import type { Measurement } from "../measure/rounds.ts"
import { keystroke } from "./keystroke.ts"
import { open } from "./open.ts"
import type { ClientScale } from "./scale.ts"
import { sustained } from "./sustained.ts"
import { week } from "./week.ts"

export const measurements: readonly Measurement<ClientScale>[] = [keystroke, sustained, open, week]
