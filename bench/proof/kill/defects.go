package kill

import (
	"slices"

	"gage/bench/proof/harness"
)

// timeScale shortens the waits that a run could not sit out. They change when something happens, never what.
func timeScale() []harness.Defect {
	return []harness.Defect{
		{Name: "a sent cancel is waited for 2 s", File: "app/cancels.go", Old: "const answerBy = 75 * time.Second", New: "const answerBy = 2 * time.Second"},
		{Name: "a claim is asked about after 1 s", File: "app/judge.go", Old: "const inquireAfter = 10 * time.Second", New: "const inquireAfter = time.Second"},
		{Name: "a receipt that nobody sent is picked up after 1 s", File: "app/cashreceipts.go", Old: "const pickUpAfter = 15 * time.Second", New: "const pickUpAfter = time.Second"},
		{Name: "a lease is 2 s", File: "app/work.go", Old: "leaseFor  = 2 * time.Minute", New: "leaseFor  = 2 * time.Second"},
		{Name: "the back-off starts at 200 ms", File: "app/work.go", Old: "10*time.Second<<min(attempts, 10)", New: "100*time.Millisecond<<min(attempts, 10)"},
	}
}

// defects are mistakes that only show when the program dies. Some bring a crash point of their own, where a crash
// would otherwise have to be lucky.
func defects() []harness.Defect {
	return slices.Concat(notificationDefects(), cancelDefects(), chargeDefects(), processDefects())
}

func notificationDefects() []harness.Defect {
	return []harness.Defect{
		{
			Name: "OK before the notification is stored",
			File: "web/gateway.go",
			Old: `	got, err := s.Shop.Receive(c.Request().Context(), a)
	if err != nil {
		return err
	}
	if got.Verdict == app.VerdictUnreadable {`,
			New: `	var got app.Received
	later, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		return err
	}
	go func() { _, _ = s.Shop.Receive(later.Context(), a) }()
	if got.Verdict == app.VerdictUnreadable {`,
		},
		{
			Name: "callers hear of success before the commit",
			File: "db/writer.go",
			Old: `			// crash point: all written, not committed
			_, err = c.ExecContext(ctx, "COMMIT")
`,
			New: `			for i, job := range batch {
				job.done <- results[i]
			}
			batch = nil
			time.Sleep(5 * time.Millisecond) // a slow disk
			// crash point: all written, not committed
			_, err = c.ExecContext(ctx, "COMMIT")
`,
		},
		{
			Name: "the effect is not in the message's transaction",
			File: "app/receive.go",
			Old: `		if touched, err = s.judge(ctx, tx, rd, &msg, token); err != nil {
			return err
		}
		return tx.JudgeMessage(ctx, msg)
	})
`,
			New: `		return nil
	})
	// crash point: planted between message and effect
	if err == nil && msg.Verdict != VerdictDuplicate {
		err = s.Store.Update(ctx, func(tx Tx) (err error) {
			if touched, err = s.judge(ctx, tx, rd, &msg, token); err != nil {
				return err
			}
			return tx.JudgeMessage(ctx, msg)
		})
	}
`,
		},
		{
			Name: "a repeat is not recognised",
			File: "app/receive.go",
			Old:  "	rd.msg.Dedupe = dedupeKey(rd.msg, browser, n.Fields)\n",
			New:  "	rd.msg.Dedupe = dedupeKey(rd.msg, browser, n.Fields) + rd.msg.ID\n",
		},
	}
}

func cancelDefects() []harness.Defect {
	return []harness.Defect{
		{
			Name: "a cash receipt found sent after a restart is sent again", File: "app/receiptcancel.go",
			Old: "	sent, to := c.SentAt, ReceiptStateUnknown\n", New: "	sent, to := c.SentAt, ReceiptStateRequested\n",
		},
		{
			Name: "the gateway is called before the intent is stored",
			File: "app/cancels.go",
			Old: `	c, m, fresh, err := s.intend(ctx, actor, moid, in)
	if err != nil || !fresh {
		return c, err
	}
	// crash point: cancel intended, not called
	s.changed(c.OrderNo)
	return s.cancelAndWait(ctx, m, c)
`,
			New: `	if _, err := s.Store.Cancel(ctx, in.Key); errors.Is(err, ErrNotFound) {
		p, err := s.Store.Payment(ctx, moid)
		if err != nil {
			return Cancel{}, err
		}
		early, err := s.mayCancel(ctx, s.Store, p, in)
		if err != nil {
			return early, err
		}
		with, err := s.merchantOf(ctx, s.Store, p.MID, p.Mode)
		if err != nil {
			return early, err
		}
		_, _ = s.Gateway(with).Cancel(ctx, smartro.CancelRequest{TID: early.TID, Amt: early.Amount, Partial: !early.Whole, Reason: smartro.CancelReason(early.Reason)})
	}
	// crash point: cancel intended, not called
	c, _, _, err := s.intend(ctx, actor, moid, in)
	return c, err
`,
		},
		{
			Name: "a cancel found sent after a restart is sent again",
			File: "app/work.go",
			Old: `		err = s.Store.Update(ctx, func(tx Tx) error {
			if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
				return err
			}
			if c, err = tx.Cancel(ctx, id); err != nil || !s.unanswered(c) {
`,
			New: `		if m, err := s.Merchant(ctx); err == nil {
			s.call(ctx, m, c)
			return false, nil
		}
		err = s.Store.Update(ctx, func(tx Tx) error {
			if _, err := tx.LockOrder(ctx, c.OrderNo); err != nil {
				return err
			}
			if c, err = tx.Cancel(ctx, id); err != nil || !s.unanswered(c) {
`,
		},
		{
			Name: "no job looks after a cancel that was sent",
			File: "app/cancels.go",
			Old: `	return signed.Merchant, tx.AddJob(ctx, Job{
		ID: newToken(), Kind: JobInquireCancel, Ref: c.ID, DueAt: c.SentAt.Add(answerBy), CreatedAt: c.CreatedAt,
	})
`,
			New: `	return signed.Merchant, nil
`,
		},
		{
			Name: "an approval is written down after the cancel",
			File: "app/approve.go",
			Old: `		if err := s.decide(ctx, tx, p, q, RequestApproved, CancelApproved, actor.ID, ""); err != nil {
			return err
		}
		if p, err = tx.Payment(ctx, q.Moid); err != nil {
			return err
		}
		m, err = s.setAside(ctx, tx, p, c)
		return err
	})
`,
			New: `		m, err = s.setAside(ctx, tx, p, c)
		return err
	})
	// crash point: planted between a cancel and its approval
	if err == nil {
		err = s.Store.Update(ctx, func(tx Tx) error {
			q, p, err := s.waiting(ctx, tx, id)
			if err != nil {
				return err
			}
			return s.decide(ctx, tx, p, q, RequestApproved, CancelApproved, actor.ID, "")
		})
	}
`,
		},
		{
			Name: "what was approved has a number of its own", File: "app/approve.go",
			Old: "		c.By = q.By\n", New: "		c.By, c.ID = q.By, newToken()\n",
		},
		{
			Name: "a document is noted as taken before it is sent",
			File: "app/tell.go",
			Old: `	d.Tries++
`,
			New: `	done := d
	done.State = DeliveryDone
	if err := s.Store.Update(ctx, func(tx Tx) error { return tx.SaveDelivery(ctx, done) }); err != nil {
		return err
	}
	// crash point: hook noted, not sent
	d.Tries++
`,
		},
		{
			Name: "the shop's own system is told before the commit",
			File: "app/tell.go",
			Old: `	d.Body = string(body)
`,
			New: `	d.Body = string(body)
	if _, err := s.carry(ctx, h, d.Mode, d.ID, body); err == nil {
		// crash point: told, not committed
		d.State = DeliveryDone
	}
`,
		},
		{
			Name: "a job is put away before it is done",
			File: "app/work.go",
			Old: `	// crash point: job leased, not done
	again, err := s.do(ctx, j)
`,
			New: `	if err := s.finish(ctx, j, false, nil); err != nil {
		return err
	}
	// crash point: job leased, not done
	again, err := s.do(ctx, j)
`,
		},
	}
}

func processDefects() []harness.Defect {
	return []harness.Defect{
		{
			Name: "a stop leaves the store open",
			File: "cmd/admin/serve.go",
			Old:  "	defer func() { err = errors.Join(err, h.close()) }()\n",
			New:  "	defer h.http.CloseIdleConnections()\n",
		},
		{
			Name: "a stop waits for slow clients as long as they like",
			File: "cmd/admin/server.go",
			Old:  "const grace = 8 * time.Second",
			New:  "const grace = time.Hour",
		},
		{
			Name: "the key file is named before it is written",
			File: "cmd/admin/keyfile.go",
			Old: `	f, err := os.CreateTemp(dir, ".new-*") // readable for its owner only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// crash point: key written, not named
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
`,
			New: `	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	// crash point: key written, not named
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
`,
		},
		{
			Name: "an older program takes the records of a newer one",
			File: "db/open.go",
			Old:  "	if have > want {\n		return tooNew(have, want)\n",
			New:  "	if have > want {\n		return nil\n",
		},
	}
}
