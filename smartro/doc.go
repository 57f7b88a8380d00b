// Package smartro speaks the gateway's WEBLink protocol: payment forms for PC and mobile, results that the
// browser brings back, retry notifications (재통보), cancels (취소), receipt pages, the receipt-data query, and cards
// that are registered once and charged again and again (정기결제).
// It imports nothing of ours, stores nothing, reads no clock and keeps no state.
//
// Start at [Merchant.PayForm] to open a payment, at [ParseNotice] to read what comes back, and at
// [Client.Cancel] to take money back. Call [Notice.Verify] before believing a notice. Even then the
// signature proves the TID and the result code alone, neither the amount nor the order: compare those
// with what was ordered, and never take money's movement from anything that passed through a browser.
//
// Amounts are whole won, lengths are bytes in the charset of the device (PC EUC-KR, mobile UTF-8), wire
// times are Korean local time. "weblink §3" and the like name the sections of the wire reference.
package smartro
