import "./cli/main.ts"
