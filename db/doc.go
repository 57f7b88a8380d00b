// Package db keeps the shop's records: SQLite by default, PostgreSQL when told. It implements what app asks for
// ([app.Store]); one SQL text serves both engines, and the few statements that must differ stand in dialect.go.
//
// Start at [Open]. Times are microseconds since 1970 UTC (0: none), money is won, truth is 0 or 1.
package db
