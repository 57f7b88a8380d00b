// Package sandbox is the gateway, simulated: it answers on the gateway's own paths, checks requests as
// strictly as the protocol allows, keeps its own ledger on disk and misbehaves to order. No money moves.
//
// Start at [New], serve [Gateway.Handler] and run [Gateway.Run], which sends the retry notifications
// (재통보). Any integrator of the WEBLink module may use it alone; it knows nothing of a shop but its MID.
//
// Do not take its failure codes for the gateway's: most of those are unpublished, and ResultMsg marks
// every code that is the sandbox's own.
package sandbox
