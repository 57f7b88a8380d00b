package race

import "gage/bench/proof/harness"

// defects are mistakes that show only when much happens at once, or in another order.
var defects = []harness.Defect{
	{
		Name: "the order is not locked", File: "db/orders.go",
		Old: `"UPDATE orders SET version = version + 1 WHERE no = $1 RETURNING "+orderColumns+", "+keyOf("no"), no)`,
		New: `"SELECT "+orderColumns+", "+keyOf("no")+" FROM orders WHERE no = $1", no)`,
	},
	{
		Name: "a deposit told in other words counts again", File: "app/judge.go",
		Old: `fmt.Sprintf("deposit|%s|%s|%s|%d", in.Mode, in.TID, in.when(), in.Amount)`,
		New: `fmt.Sprintf("deposit|%s|%s|%s|%d", in.Mode, in.TID, in.MessageID, in.Amount)`,
	},
	{
		Name: "the balance is read before the transaction", File: "app/cancels.go",
		Old: "		p, err := tx.Payment(ctx, moid)\n		if err != nil {\n			return err\n		}\n		if c, err = s.mayCancel",
		New: "		p := first\n		if c, err = s.mayCancel",
	},
	{
		Name: "who asked for a cancel may approve it", File: "app/approve.go",
		Old: "	if second.ID == q.By {\n", New: "	if second.ID == \"\" {\n",
	},
	{
		Name: "the approver's own limit is not looked at", File: "app/approve.go",
		Old: "	if limits.Above(second.Role, q.Amount) {\n", New: "	if limits.Above(second.Role, 0) {\n",
	},
	{
		Name: "an approval counts as often as it is given", File: "app/approve.go",
		Old: "	if err == nil && !q.Waits(s.latest()) {\n", New: "	if err == nil && q.State == RequestLapsed {\n",
	},
	{
		Name: "the same form calls the gateway again", File: "app/cancels.go",
		Old: "	if err != nil || !fresh {\n", New: "	if err != nil || !fresh && c.ID == \"\" {\n",
	},
	{
		Name: "whoever is told OK is told before the commit", File: "db/writer.go",
		Old: "			// crash point: all written, not committed\n",
		New: "			for i, job := range batch {\n				job.done <- results[i]\n			}\n			// crash point: all written, not committed\n",
	},
	{
		Name: "a job's lease is not looked at", File: "db/jobs.go",
		Old: "AND due_at <= $2 AND lease_until <= $2 ORDER BY due_at LIMIT $3) AND lease_until <= $2",
		New: "AND due_at <= $2 ORDER BY due_at LIMIT $3)",
	},
	{
		Name: "who lost his lease still forgets the job", File: "db/jobs.go",
		Old: `"DELETE FROM jobs WHERE id = $1 AND lease_until = $2"`, New: `"DELETE FROM jobs WHERE id = $1 AND lease_until <> -$2"`,
	},
	{
		Name: "a second program may write one file", File: "db/open.go",
		Old: "syscall.LOCK_EX|syscall.LOCK_NB", New: "syscall.LOCK_SH|syscall.LOCK_NB",
	},
	{
		Name: "a claim keeps the transaction from its owner", File: "app/judge.go",
		Old: "case in.Level < T2 || !claim:", New: "case !claim || q.State != New:",
	},
	{
		Name: "a second window pays a paid order", File: "app/judge.go",
		Old: "f.OrderPaid = f.OrderPaid || q.Moid != p.Moid && !q.PaidAt.IsZero()", New: "f.OrderPaid = f.OrderPaid || q.Moid == \"\"",
	},
	{
		Name: "a cancel that came before its approval is forgotten", File: "app/judge.go",
		Old: "	case Approved, Deposited, VbankIssued:\n		return true\n", New: "	case VbankIssued:\n		return true\n",
	},
	{
		Name: "a cancel that came before its approval counts at once", File: "app/decide.go",
		Old: "		return Outcome{Verdict: VerdictParked} // its approval is still to come\n",
		New: "		return Outcome{Verdict: VerdictGood}\n",
	},
}
