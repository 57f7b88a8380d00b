package app

import (
	"net/netip"
	"time"
)

// Role is what a person may do.
type Role string

// The roles. What each may do stands in the table of rights.
const (
	RoleOwner      Role = "owner"
	RoleManager    Role = "manager"
	RoleStaff      Role = "staff"
	RoleAccountant Role = "accountant"
	RoleViewer     Role = "viewer"
)

// Roles are the roles, the one that may do most first.
func Roles() []Role {
	return []Role{RoleOwner, RoleManager, RoleStaff, RoleAccountant, RoleViewer}
}

// Staff is a person who may sign in to the back office.
type Staff struct {
	ID           string
	Email        string // lower case: the login
	Name         string
	Role         Role
	PasswordHash Secret // argon2id, PHC form
	CreatedAt    time.Time
	DisabledAt   time.Time  // zero: may sign in
	HasSecond    bool       // signs in with a second factor, too; read only
	From         netip.Addr // where they act from now, for the record of accesses; not stored
}

// Invite is a one-time link to set a password: the owner's at the first start, anyone's after a reset.
type Invite struct {
	Hash      string // SHA-256 of the token, hex: the token itself is shown once and not kept
	Email     string // empty: the owner chooses
	Role      Role
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// Session is one signed-in browser. The database holds the digest of its cookie's key only.
type Session struct {
	Hash      string // SHA-256 of the session's key, hex
	StaffID   string // empty: not signed in yet
	Data      string // what the web layer keeps in it, sealed
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// Sender is an address that sent something correctly signed to the secret notification path.
type Sender struct {
	Addr      string // IP address
	State     SenderState
	FirstAt   time.Time
	LastAt    time.Time
	Count     int64
	DecidedBy string // staff ID
	DecidedAt time.Time
}

// SenderState says whether an address is believed to be the gateway.
type SenderState string

// The states of a sender.
const (
	SenderAsked    SenderState = "asked" // nobody has said yet
	SenderApproved SenderState = "approved"
	SenderRefused  SenderState = "refused"
)
