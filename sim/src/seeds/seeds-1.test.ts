import { replaySeeds } from "./fixed-seeds.ts"

replaySeeds(1)
