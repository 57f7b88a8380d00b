package app

import (
	"fmt"
	"slices"
)

// Right is something that a person may do in the back office. Which role has which stands in one table: the routes
// declare a right of it, the pages read it to show or hide, and the use cases ask it again.
type Right string

// The rights. Whoever has none of them still may change what is their own: their password, their sessions.
const (
	RightSeePayments       Right = "see_payments"        // find them and read their story, people masked
	RightSeeBuyers         Right = "see_buyers"          // look at a person's data, a message or a receipt, with a reason
	RightRequestPayments   Right = "request_payments"    // make payment links, and withdraw them
	RightCancel            Right = "cancel"              // give money back, up to one's own limit
	RightSettle            Right = "settle"              // accept a payment, close a hold, say how an unknown cancel ended
	RightApproveCancels    Right = "approve_cancels"     // be the second person of another's cancel
	RightIssueCashReceipts Right = "issue_cash_receipts" // and cancel them
	RightChargeBillingKeys Right = "charge_billing_keys" // recurring payments: register, charge, end
	RightExport            Right = "export"              // take records out as files
	RightImport            Right = "import"              // bring in the gateway's and the bank's lists
	RightSeeReports        Right = "see_reports"         // sums of days and months
	RightManagePeople      Right = "manage_people"       // invite, change roles and limits, end access
	RightChangeShop        Right = "change_shop"         // what stands at the foot of a checkout
	RightChangeGateway     Right = "change_gateway"      // contract, notification URL, senders; what a restore needs
	RightChangeHooks       Right = "change_hooks"        // where the shop's own systems are told
	RightSeeAudit          Right = "see_audit"           // who did what, when, from where
)

// grant is a line of the table.
type grant struct {
	right Right
	roles []Role
}

func grants() []grant {
	const o, m, s, a, v = RoleOwner, RoleManager, RoleStaff, RoleAccountant, RoleViewer
	return []grant{
		{RightSeePayments, []Role{o, m, s, a, v}},
		{RightSeeBuyers, []Role{o, m, s}},
		{RightRequestPayments, []Role{o, m, s}},
		{RightCancel, []Role{o, m, s}},
		{RightSettle, []Role{o, m, s}},
		{RightApproveCancels, []Role{o, m}},
		{RightIssueCashReceipts, []Role{o, m, s, a}},
		{RightChargeBillingKeys, []Role{o, m}},
		{RightExport, []Role{o, m, a}},
		{RightImport, []Role{o, m, a}},
		{RightSeeReports, []Role{o, m, a}},
		{RightManagePeople, []Role{o}},
		{RightChangeShop, []Role{o}},
		{RightChangeGateway, []Role{o}},
		{RightChangeHooks, []Role{o}},
		{RightSeeAudit, []Role{o}},
	}
}

// Rights are the rights, in the order of the table.
func Rights() []Right {
	list := make([]Right, 0, len(grants()))
	for _, g := range grants() {
		list = append(list, g.right)
	}
	return list
}

// May says whether the role has the right. What is in no table nobody may.
func (r Role) May(right Right) bool {
	return slices.ContainsFunc(grants(), func(g grant) bool { return g.right == right && slices.Contains(g.roles, r) })
}

// MovesMoney says whether the role may make money move, or say that it did.
func (r Role) MovesMoney() bool {
	return r.May(RightCancel) || r.May(RightSettle) || r.May(RightApproveCancels) || r.May(RightChargeBillingKeys) || r.May(RightChangeGateway)
}

// must is ErrForbidden for who has not the right, or is nobody.
func (p Staff) must(right Right) error {
	if p.ID == "" || !p.Role.May(right) {
		return fmt.Errorf("%s: %w", right, ErrForbidden)
	}
	return nil
}
