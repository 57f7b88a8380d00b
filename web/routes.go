package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

// right says who may call a route. There is none by default: a route without one is not mounted.
type right string

// The rights. gateway routes take posts from other sites and carry no authority: no cookie is read there.
const (
	public   right = "public"
	gateway  right = "gateway"
	signedIn right = "signed in"
	owner    right = "owner"
)

// authority says what a request may bring with it to be somebody.
type authority string

// The authorities. An anonymous route never sees a cookie, so that none can ever count there by mistake; the page's
// language is read before. The pay link and the notification's secret are in the address, and are not meant here.
const (
	anonymous authority = "anonymous"
	session   authority = "session"
)

// route declares one way in. Only this table is mounted, and only when every line is complete: see incomplete.
type route struct {
	method, path string
	right        right
	authority    authority
	budget       budget
	handler      echo.HandlerFunc
}

// budget is what a request may take: of the wire, of time, and of which room. Rooms are apart so that no kind of
// request can take the place of another.
type budget struct {
	body int64         // the most that may come, in bytes
	wait time.Duration // how long the answer may take; endless: as long as the client stays
	room roomName
}

// How much may come, and how long an answer may take.
const (
	noBody  = 1 << 10
	small   = 64 << 10 // also the most that a gateway's message may have
	quick   = 15 * time.Second
	patient = 90 * time.Second // a cancel waits for the gateway up to 60 s
	endless = time.Duration(-1)
)

// routes is the whole surface of the site.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	var (
		probe    = budget{noBody, quick, probes}
		notice   = budget{small, quick, notices}
		claim    = budget{small, quick, claims}
		page     = budget{noBody, quick, pages}
		form     = budget{small, quick, forms}
		live     = budget{noBody, endless, streams}
		file     = budget{noBody, quick, files}
		door     = budget{small, quick, doors}
		desk     = budget{noBody, quick, desks}
		deskForm = budget{small, quick, desks}
		call     = budget{small, patient, calls}
	)
	return []route{
		{get, "/healthz", public, anonymous, probe, s.getHealth},
		{get, "/readyz", public, anonymous, probe, s.getReady},

		{get, "/admin/sign-in", public, session, page, s.getSignIn},
		{post, "/admin/sign-in", public, session, door, s.postSignIn},
		{post, "/admin/sign-out", public, session, door, s.postSignOut},
		{get, "/start/:token", public, anonymous, page, s.getInvite},
		{post, "/start/:token", public, session, door, s.postInvite},
		{get, "/invite/:token", public, anonymous, page, s.getInvite},
		{post, "/invite/:token", public, session, door, s.postInvite},

		{get, "/admin", signedIn, session, desk, s.getPayments},
		{get, freshPath, signedIn, session, desk, s.getFresh},
		{get, "/admin/payments/:moid", signedIn, session, desk, s.getPayment},
		{post, "/admin/payments/:moid/reveal", signedIn, session, deskForm, s.postReveal},
		{post, "/admin/payments/:moid/receipt", signedIn, session, deskForm, s.postReceipt},
		{post, "/admin/payments/:moid/ask", signedIn, session, call, s.postAsk},
		{post, "/admin/payments/:moid/accept", signedIn, session, deskForm, s.freshly(s.postAccept)},
		{get, "/admin/payments/:moid/cancel", signedIn, session, desk, s.getCancel},
		{post, "/admin/payments/:moid/cancel", signedIn, session, call, s.postCancel},
		{post, "/admin/cancels/:id/resend", signedIn, session, call, s.freshly(s.postResend)},
		{post, "/admin/cancels/:id/settle", signedIn, session, deskForm, s.freshly(s.postSettle)},
		{get, "/admin/messages/:id", signedIn, session, desk, s.getMessage},
		{post, "/admin/messages/:id", signedIn, session, deskForm, s.postMessage},

		{get, "/admin/requests", signedIn, session, desk, s.getRequests},
		{get, "/admin/requests/new", signedIn, session, desk, s.getNewRequest},
		{post, "/admin/requests/new", signedIn, session, deskForm, s.postNewRequest},
		{get, "/admin/requests/:no", signedIn, session, desk, s.getRequest},
		{get, "/admin/requests/:no/qr.svg", signedIn, session, desk, s.getRequestQR},
		{post, "/admin/requests/:no/close", signedIn, session, deskForm, s.postCloseRequest},

		{get, "/admin/account", signedIn, session, desk, s.getAccount},
		{post, "/admin/account/sessions", signedIn, session, deskForm, s.postEndSessions},

		{get, "/admin/work", signedIn, session, desk, s.getWork},
		{post, "/admin/holds/:id/close", signedIn, session, deskForm, s.freshly(s.postCloseHold)},
		{post, "/admin/jobs/:id/retry", signedIn, session, deskForm, s.postRetryJob},
		{post, "/admin/senders", owner, session, deskForm, s.freshly(s.postSender)},

		{get, "/admin/audit", owner, session, desk, s.getAudit},
		{get, "/admin/settings", owner, session, desk, s.getSettings},
		{post, "/admin/settings/shop", owner, session, deskForm, s.postShopInfo},
		{post, "/admin/settings/gateway", owner, session, deskForm, s.freshly(s.postMerchant)},
		{post, "/admin/settings/notice", owner, session, deskForm, s.freshly(s.postRotateNotice)},
		{post, "/admin/settings/notice/show", owner, session, deskForm, s.freshly(s.postShowNotice)},
		{post, "/admin/settings/reconciled", owner, session, deskForm, s.freshly(s.postReconciled)},
		{post, "/admin/settings/staff", owner, session, deskForm, s.freshly(s.postInviteStaff)},
		{post, "/admin/settings/staff/reset", owner, session, deskForm, s.freshly(s.postResetStaff)},
		{post, "/admin/settings/staff/disable", owner, session, deskForm, s.freshly(s.postDisableStaff)},

		{get, "/", public, anonymous, page, s.getHome},
		{post, "/sample", public, anonymous, form, s.postSample},
		{get, "/pay/received", public, anonymous, page, s.getReceived},
		{get, "/pay/:token", public, anonymous, page, s.getPay},
		{post, "/pay/:token/open", public, anonymous, form, s.postOpen},
		{get, "/pay/:token/status", public, anonymous, page, s.getStatus},
		{get, "/pay/:token/events", public, anonymous, live, s.getEvents},
		{get, "/pay/:token/back", public, anonymous, page, s.getBack},
		{get, "/static/*", public, anonymous, file, s.getStatic},

		{post, "/smartro/return", gateway, anonymous, claim, s.receiveReturn},
		{get, "/smartro/return", gateway, anonymous, claim, s.receiveReturn},
		{post, "/smartro/stop", gateway, anonymous, claim, s.receiveStop},
		{get, "/smartro/stop", gateway, anonymous, claim, s.receiveStop},
		{post, "/smartro/notify", gateway, anonymous, claim, s.receiveNotify},
		{get, "/smartro/notify", gateway, anonymous, claim, s.receiveNotify},
		{post, "/smartro/notify/:secret", gateway, anonymous, notice, s.receiveNotify},
		{get, "/smartro/notify/:secret", gateway, anonymous, notice, s.receiveNotify},
	}
}

// incomplete says what is missing in a line of the table, or contradicts itself; nil: it can be mounted.
func (r route) incomplete() error {
	var faults []error
	bad := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if r.method != http.MethodGet && r.method != http.MethodPost || !strings.HasPrefix(r.path, "/") || r.handler == nil {
		bad("want GET or POST, a path and a handler")
	}
	switch r.right {
	case public:
	case gateway:
		if r.authority != anonymous {
			bad("a gateway's route is anonymous")
		}
	case signedIn, owner:
		if r.authority != session {
			bad("the right %q can only come with a session", r.right)
		}
	default:
		bad("it declares no right")
	}
	if r.authority != anonymous && r.authority != session {
		bad("it declares no authority")
	}
	if r.budget.body <= 0 || r.budget.body > maxBody {
		bad("its budget has no limit of the body")
	}
	if r.budget.wait <= 0 && r.budget.wait != endless {
		bad("its budget has no time")
	}
	if _, ok := rooms()[r.budget.room]; !ok {
		bad("its budget has no room")
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("route %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// maxBody is the most that any route may take: bodies are read into memory before they are looked at.
const maxBody = small

// incompleteTable joins what is wrong with the lines, one by one and with each other.
func incompleteTable(table []route) error {
	var faults []error
	seen := map[string]bool{}
	for _, r := range table {
		faults = append(faults, r.incomplete())
		line := r.method + " " + parameters(r.path)
		if seen[line] {
			faults = append(faults, fmt.Errorf("route %s stands twice", line))
		}
		seen[line] = true
	}
	return errors.Join(faults...)
}

// parameters writes all parameters of a path alike: the router can't tell /a/:x from /a/:y.
func parameters(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if strings.HasPrefix(p, ":") {
			parts[i] = ":"
		}
	}
	return strings.Join(parts, "/")
}
