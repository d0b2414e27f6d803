/** Contract suites that every store, transport and driver passes. */
export * from "./client-storage-contract.ts"
export * from "./store-contract.ts"
export * from "./store-crash-contract.ts"
export * from "./store-fixtures.ts"
export * from "./store-under-test.ts"
