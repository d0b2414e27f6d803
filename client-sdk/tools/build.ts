/** `npm run build:sdk`: the package to publish, in client-sdk/dist. */
import { join } from "node:path"
import { buildPackage } from "./build-package.ts"
import { entriesOf, readManifest, root } from "./package.ts"

await buildPackage(join(root, "dist"))
const subpaths = entriesOf(readManifest()).map(({ subpath }) => subpath)
process.stdout.write(`client-sdk/dist: ${subpaths.join(" ")}\nnpm publish client-sdk/dist\n`)
