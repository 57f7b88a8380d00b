package app_test

import (
	"slices"
	"testing"

	"gage/app"
)

// TestRightsTable: every right stands in the table once and somebody has it; the owner has all; nobody has what is in no
// table; each role that moves money is one that the owner may ask more of.
//
// proves S16
func TestRightsTable(t *testing.T) {
	seen := map[app.Right]bool{}
	for _, r := range app.Rights() {
		if seen[r] || r == "" {
			t.Errorf("%q stands twice, or is empty", r)
		}
		seen[r] = true
		if !app.RoleOwner.May(r) {
			t.Errorf("the owner may not %s", r)
		}
	}
	for _, role := range append(app.Roles(), "", "nobody", "OWNER") {
		known := slices.Contains(app.Roles(), role)
		if role.May("") || role.May("see everything") || role.May(app.RightSeePayments) != known {
			t.Errorf("%q may what is in no table, or not what every role may", role)
		}
		moves := map[app.Role]bool{app.RoleOwner: true, app.RoleManager: true, app.RoleStaff: true}[role]
		if role.MovesMoney() != moves {
			t.Errorf("%q moves money: %v", role, role.MovesMoney())
		}
		if own := role == app.RoleOwner; role.May(app.RightManagePeople) != own || role.May(app.RightChangeGateway) != own || role.May(app.RightSeeAudit) != own {
			t.Errorf("%q may change people or the gateway, or read who did what", role)
		}
	}
}
