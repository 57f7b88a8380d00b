package web

import (
	"context"
	"net/url"
	"time"

	"gage/app"
	"gage/smartro"
	"gage/web/sheet"
	"gage/web/text"
	"gage/web/view"
)

// exportHead is what stands above the table: what it is, by which filters, and when it was made.
func exportHead(ctx context.Context, in app.ExportInput, now time.Time) []string {
	title := text.T(ctx, "staff.list.title") + " · " + text.T(ctx, "staff.mode."+string(in.Filter.Mode))
	if in.Filter.Mode != smartro.Real {
		title += " (" + text.T(ctx, "staff.export.practice") + ")"
	}
	asked := in.Asked
	if v, err := url.QueryUnescape(asked); err == nil {
		asked = v
	}
	return []string{title, text.T(ctx, "staff.export.made", view.Stamp(now), asked)}
}

// The columns that are added up, as exportColumns has them.
const (
	columnPaid = iota + 17
	columnBack
	columnNet
	columnHeld
)

// exportColumns are a file's columns.
func exportColumns(ctx context.Context, clock app.Clock) []sheet.Column {
	name := func(key string, width float64) sheet.Column {
		return sheet.Column{Title: text.T(ctx, key), Width: width}
	}
	back := "staff.export.back"
	if clock == app.ClockCancelled {
		back = "staff.export.back_then"
	}
	return []sheet.Column{
		name("staff.filter.mode", 8), name("staff.col.state", 12), name("staff.export.paid_at", 19), name("staff.export.opened_at", 19),
		name("staff.col.method", 11), name("staff.export.company", 11), name("staff.export.quota", 7), name("staff.order.no", 11),
		name("staff.export.moid", 15), name("staff.export.tid", 33), name("staff.export.auth", 12), name("staff.export.mid", 12),
		name("staff.col.goods", 28), name("staff.col.buyer", 12), name("staff.export.tel", 15), name("staff.export.mail", 24),
		name("staff.export.asked", 13), name("staff.export.paid", 13), name(back, 13), name("staff.export.net", 13), name("staff.export.held", 13),
		name("staff.export.proof", 12),
	}
}

// exportRow is one payment. Who is not asked for is masked; numbers of cards and accounts are in no file.
func exportRow(ctx context.Context, r app.PaymentRow, in app.ExportInput) []any {
	buyer, tel, mail := r.BuyerName, view.Phone(r.BuyerTel), r.BuyerEmail
	if !in.Personal {
		buyer, tel, mail = view.MaskName(r.BuyerName), view.MaskTel(r.BuyerTel), view.MaskEmail(r.BuyerEmail)
	}
	if r.Erased {
		buyer, tel, mail = text.T(ctx, "staff.erased"), "", ""
	}
	var paidAt time.Time
	paid, held := app.Won(0), app.Won(0)
	if !r.PaidAt.IsZero() {
		paid, paidAt = r.Approved, r.PaidAt
		if !r.ApprovedAt.IsZero() {
			paidAt = r.ApprovedAt
		}
	}
	if r.State == app.Held {
		held = r.Approved
	}
	var net any = int64(paid - r.Back)
	if in.Filter.Clock == app.ClockCancelled {
		net = nil // what went back in a period is no part of what was paid in it
	}
	proof := ""
	if r.Proof != app.ProofNone {
		proof = text.T(ctx, "staff.export.proof."+string(r.Proof))
	}
	return []any{
		text.T(ctx, "staff.mode."+string(r.Mode)), text.T(ctx, "state."+string(r.State)), paidAt, r.OpenedAt, text.T(ctx, "method."+string(r.Method)), r.Company(),
		r.CardQuota, string(r.OrderNo), string(r.Moid), string(r.TID), r.AuthCode, string(r.MID), r.Goods, buyer, tel, mail,
		int64(r.Amount), int64(paid), int64(r.Back), net, int64(held), proof,
	}
}

// exportSums are the sums below the table, by column.
func exportSums(sums app.Sums, clock app.Clock) map[int]int64 {
	list := map[int]int64{columnPaid: int64(sums.Sales), columnBack: int64(sums.Back), columnNet: int64(sums.Net()), columnHeld: int64(sums.Held)}
	if clock == app.ClockCancelled {
		delete(list, columnNet)
	}
	return list
}
