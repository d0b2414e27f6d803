import { replaySeeds } from "./test/fixed-seeds.ts"

replaySeeds(1)
