/** The version of this package, as users see it. */
import manifest from "../package.json" with { type: "json" }

export const version: string = manifest.version
