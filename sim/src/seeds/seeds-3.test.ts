import { replaySeeds } from "./test/fixed-seeds.ts"

replaySeeds(3)
