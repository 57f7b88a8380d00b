// Command drive is a shop under load for the harnesses that break its disk. It runs the real store, use cases and
// handlers in one process, without a network: orders, payment windows, the gateway's notices, browsers' returns,
// cancels. Whatever it acknowledges to somebody it writes to a file, a line for each write.
//
//	drive work  -data DIR -acks FILE -seed N -hands N -rounds N    keep a shop busy
//	drive judge                                                    judge what is left: folder and acknowledgements by stdin
//
// Exit codes of work: 0 done; 1 the store could not be opened; 3 the store gave itself up.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "drive: want work or judge")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "work":
		os.Exit(work(context.Background(), os.Args[2:]))
	case "judge":
		os.Exit(judge(context.Background(), os.Stdin, os.Stdout))
	}
	fmt.Fprintf(os.Stderr, "drive: no command %q\n", os.Args[1])
	os.Exit(2)
}
