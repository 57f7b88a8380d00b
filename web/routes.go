package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"gage/app"
)

// A route asks for a right of app's table, or for one of these. There is none by default: a route without one is not
// mounted. gateway routes take posts from other sites and carry no authority: no cookie is read there. halfway is for
// whose password was right just now, and who still has to show the second factor. signedIn is for what is a person's own.
const (
	public   app.Right = "public"
	gateway  app.Right = "gateway"
	halfway  app.Right = "halfway"
	signedIn app.Right = "signed in"
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
	right        app.Right
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
	upload  = 8<<20 + small // a list, and what a form needs around it
	small   = 64 << 10      // also the most that a gateway's message may have
	quick   = 15 * time.Second
	patient = 90 * time.Second // a cancel waits for the gateway up to 60 s
	long    = 10 * time.Minute // a file of a hundred thousand rows takes one
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
		export   = budget{small, long, exports}
		bring    = budget{upload, long, uploads}
		apply    = budget{small, long, calls}
	)
	return []route{
		{get, "/healthz", public, anonymous, probe, s.getHealth},
		{get, "/readyz", public, anonymous, probe, s.getReady},

		{get, "/admin/sign-in", public, session, page, s.getSignIn},
		{post, "/admin/sign-in", public, session, door, s.postSignIn},
		{get, codePath, halfway, session, page, s.getCode},
		{post, codePath, halfway, session, door, s.postCode},
		{post, passkeySignInPath + "/question", public, session, door, s.postPasskeyQuestion},
		{post, passkeySignInPath, public, session, door, s.postPasskeySignIn},
		{post, "/admin/sign-out", public, session, door, s.postSignOut},
		{get, "/start/:token", public, anonymous, page, s.getInvite},
		{post, "/start/:token", public, session, door, s.postInvite},
		{get, "/invite/:token", public, anonymous, page, s.getInvite},
		{post, "/invite/:token", public, session, door, s.postInvite},

		{get, "/admin", app.RightSeePayments, session, desk, s.getPayments},
		{post, "/admin/views", app.RightSeePayments, session, deskForm, s.postView},
		{post, "/admin/views/drop", app.RightSeePayments, session, deskForm, s.postDropView},
		{get, freshPath, app.RightSeePayments, session, desk, s.getFresh},
		{get, "/admin/payments/:moid", app.RightSeePayments, session, desk, s.getPayment},
		{post, "/admin/payments/:moid/reveal", app.RightSeeBuyers, session, deskForm, s.postReveal},
		{post, "/admin/payments/:moid/receipt", app.RightSeeBuyers, session, deskForm, s.postReceipt},
		{post, "/admin/payments/:moid/ask", app.RightSettle, session, call, s.postAsk},
		{post, "/admin/payments/:moid/accept", app.RightSettle, session, deskForm, s.freshly(s.postAccept)},
		{get, "/admin/payments/:moid/cancel", app.RightCancel, session, desk, s.getCancel},
		{post, "/admin/payments/:moid/cancel", app.RightCancel, session, call, s.postCancel},
		{post, "/admin/payments/:moid/refund-account", app.RightCancel, session, deskForm, s.postRefundAsk},
		{get, "/admin/approvals/:id", app.RightCancel, session, desk, s.getApproval},
		{post, "/admin/approvals/:id/approve", app.RightApproveCancels, session, call, s.freshly(s.postApprove)},
		{post, "/admin/approvals/:id/decline", app.RightApproveCancels, session, deskForm, s.freshly(s.postDecline)},
		{post, "/admin/approvals/:id/withdraw", app.RightCancel, session, deskForm, s.postWithdraw},
		{post, "/admin/cancels/:id/resend", app.RightCancel, session, call, s.freshly(s.postResend)},
		{post, "/admin/cancels/:id/settle", app.RightSettle, session, deskForm, s.freshly(s.postSettle)},
		{get, salesPath, app.RightSeeReports, session, desk, s.getSales},
		{get, mismatchesPath, app.RightSeePayments, session, desk, s.getMismatches},
		{get, accountsPath, app.RightSeePayments, session, desk, s.getAccounts},
		{get, inboxPath, app.RightSeePayments, session, desk, s.getInbox},
		{post, "/admin/messages/:id/try", app.RightSettle, session, deskForm, s.postTry},
		{post, "/admin/messages/:id/replay", app.RightSettle, session, deskForm, s.freshly(s.postReplay)},
		{get, "/admin/messages/:id", app.RightSeePayments, session, desk, s.getMessage},
		{post, "/admin/messages/:id", app.RightSeeBuyers, session, deskForm, s.postMessage},

		{get, "/admin/export", app.RightExport, session, desk, s.getExport},
		{post, "/admin/export", app.RightExport, session, export, s.freshly(s.postExport)},
		{get, "/admin/export/progress", app.RightExport, session, desk, s.getExportProgress},
		{get, "/admin/reports", app.RightSeeReports, session, desk, s.getReport},
		{get, "/admin/imports", app.RightImport, session, desk, s.getImports},
		{post, "/admin/imports", app.RightImport, session, bring, s.postImport},
		{get, "/admin/imports/:id", app.RightImport, session, desk, s.getImport},
		{post, "/admin/imports/:id/columns", app.RightImport, session, apply, s.postImportColumns},
		{post, "/admin/imports/:id/apply", app.RightImport, session, apply, s.freshly(s.postApplyImport)},
		{post, "/admin/audit/export", app.RightSeeAudit, session, export, s.freshly(s.postAuditExport)},

		{get, "/admin/requests", app.RightSeePayments, session, desk, s.getRequests},
		{get, "/admin/requests/new", app.RightRequestPayments, session, desk, s.getNewRequest},
		{post, "/admin/requests/new", app.RightRequestPayments, session, deskForm, s.postNewRequest},
		{get, "/admin/requests/:no", app.RightSeePayments, session, desk, s.getRequest},
		{get, "/admin/requests/:no/qr.svg", app.RightSeePayments, session, desk, s.getRequestQR},
		{post, "/admin/requests/:no/close", app.RightRequestPayments, session, deskForm, s.postCloseRequest},

		{get, "/admin/receipts", app.RightSeePayments, session, desk, s.getReceipts},
		{get, "/admin/receipts/new", app.RightIssueCashReceipts, session, desk, s.getNewReceipt},
		{post, "/admin/receipts/new", app.RightIssueCashReceipts, session, call, s.postNewReceipt},
		{get, "/admin/receipts/:id", app.RightSeePayments, session, desk, s.getCashReceipt},
		{post, "/admin/receipts/:id/slip", app.RightSeeBuyers, session, deskForm, s.postReceiptSlip},
		{post, "/admin/receipts/:id/cancel", app.RightIssueCashReceipts, session, call, s.freshly(s.postReceiptCancel)},
		{post, "/admin/receipts/:id/resend", app.RightIssueCashReceipts, session, call, s.freshly(s.postReceiptResend)},
		{post, "/admin/receipts/:id/settle", app.RightIssueCashReceipts, session, deskForm, s.freshly(s.postReceiptSettle)},
		{post, "/admin/receipts/:id/taken-back", app.RightIssueCashReceipts, session, deskForm, s.freshly(s.postReceiptTakenBack)},

		{get, "/admin/subscriptions", app.RightChargeBillingKeys, session, desk, s.getSubscriptions},
		{get, "/admin/subscriptions/new", app.RightChargeBillingKeys, session, desk, s.getNewSubscription},
		{post, "/admin/subscriptions/new", app.RightChargeBillingKeys, session, deskForm, s.postNewSubscription},
		{get, "/admin/subscriptions/:no", app.RightChargeBillingKeys, session, desk, s.getSubscription},
		{get, "/admin/subscriptions/:no/qr.svg", app.RightChargeBillingKeys, session, desk, s.getSubscriptionQR},
		{post, "/admin/subscriptions/:no/reveal", app.RightChargeBillingKeys, session, deskForm, s.postRevealSubscriber},
		{post, "/admin/subscriptions/:no/pause", app.RightChargeBillingKeys, session, deskForm, s.postPause},
		{post, "/admin/subscriptions/:no/resume", app.RightChargeBillingKeys, session, deskForm, s.freshly(s.postResume)},
		{post, "/admin/subscriptions/:no/stop", app.RightChargeBillingKeys, session, deskForm, s.postStopSubscription},
		{post, "/admin/subscriptions/:no/charge", app.RightChargeBillingKeys, session, call, s.freshly(s.postCharge)},
		{post, "/admin/charges/:id/settle", app.RightSettle, session, deskForm, s.freshly(s.postSettleCharge)},
		{post, "/admin/charges/:id/away", app.RightChargeBillingKeys, session, deskForm, s.postChargeAway},

		{get, "/admin/account", signedIn, session, desk, s.getAccount},
		{post, "/admin/account/sessions", signedIn, session, deskForm, s.postEndSessions},
		{get, "/admin/account/password", signedIn, session, desk, s.getPassword},
		{post, "/admin/account/password", signedIn, session, deskForm, s.typedNow(s.postPassword)},
		{get, secondPath, signedIn, session, desk, s.getSecond},
		{post, secondPath, signedIn, session, deskForm, s.freshly(s.postSecond)},
		{post, secondPath + "/recovery", signedIn, session, deskForm, s.freshly(s.postRecovery)},
		{post, secondPath + "/off", signedIn, session, deskForm, s.freshly(s.postDropSecond)},

		{post, newPasskeyPath, signedIn, session, deskForm, s.freshly(s.postNewPasskey)},
		{post, passkeysPath, signedIn, session, deskForm, s.freshly(s.postPasskey)},
		{post, passkeysPath + "/remove", signedIn, session, deskForm, s.freshly(s.postDropPasskey)},

		{get, "/admin/work", app.RightSeePayments, session, desk, s.getWork},
		{post, "/admin/work/seen", app.RightSettle, session, deskForm, s.freshly(s.postSeeMisfits)},
		{post, "/admin/work/again", app.RightSettle, session, call, s.freshly(s.postJudgeAgain)},
		{post, "/admin/holds/:id/close", app.RightSettle, session, deskForm, s.freshly(s.postCloseHold)},
		{post, "/admin/jobs/:id/retry", app.RightSettle, session, deskForm, s.postRetryJob},
		{post, "/admin/senders", app.RightChangeGateway, session, deskForm, s.freshly(s.postSender)},

		{get, reviewPath, app.RightSeeAudit, session, desk, s.getReview},
		{post, reviewPath, app.RightSeeAudit, session, deskForm, s.freshly(s.postReview)},
		{get, "/admin/audit", app.RightSeeAudit, session, desk, s.getAudit},
		{get, peoplePath, app.RightManagePeople, session, desk, s.getPeople},
		{get, "/admin/settings", app.RightChangeShop, session, desk, s.getSettings},
		{post, "/admin/settings/shop", app.RightChangeShop, session, deskForm, s.postShopInfo},
		{post, "/admin/settings/gateway", app.RightChangeGateway, session, deskForm, s.freshly(s.postMerchant)},
		{post, "/admin/settings/key/stop", app.RightChangeGateway, session, deskForm, s.freshly(s.postStopKey)},
		{post, "/admin/settings/receipts", app.RightChangeGateway, session, deskForm, s.freshly(s.postReceiptRules)},
		{post, "/admin/settings/notice", app.RightChangeGateway, session, deskForm, s.freshly(s.postRotateNotice)},
		{post, "/admin/settings/notice/show", app.RightChangeGateway, session, deskForm, s.freshly(s.postShowNotice)},
		{post, "/admin/settings/reconciled", app.RightChangeGateway, session, deskForm, s.freshly(s.postReconciled)},
		{get, rulesPath, app.RightChangeShop, session, desk, s.getRules},
		{post, rulesPath, app.RightChangeShop, session, deskForm, s.freshly(s.postRules)},
		{get, "/admin/settings/hook", app.RightChangeHooks, session, desk, s.getHook},
		{post, "/admin/settings/hook", app.RightChangeHooks, session, deskForm, s.freshly(s.postHook)},
		{post, "/admin/settings/hook/secret", app.RightChangeHooks, session, deskForm, s.freshly(s.postHookSecret)},
		{post, "/admin/settings/hook/test", app.RightChangeHooks, session, call, s.freshly(s.postHookTest)},
		{post, peoplePath, app.RightManagePeople, session, deskForm, s.freshly(s.postInviteStaff)},
		{post, peoplePath + "/reset", app.RightManagePeople, session, deskForm, s.freshly(s.postResetStaff)},
		{post, peoplePath + "/disable", app.RightManagePeople, session, deskForm, s.freshly(s.postDisableStaff)},
		{post, peoplePath + "/role", app.RightManagePeople, session, deskForm, s.freshly(s.postSetRole)},
		{post, peoplePath + "/limits", app.RightManagePeople, session, deskForm, s.freshly(s.postLimits)},
		{post, peoplePath + "/second", app.RightManagePeople, session, deskForm, s.freshly(s.postResetSecond)},
		{post, peoplePath + "/second-rule", app.RightManagePeople, session, deskForm, s.freshly(s.postSecondRule)},

		{get, "/", public, anonymous, page, s.getHome},
		{post, "/sample", public, anonymous, form, s.postSample},
		{get, "/pay/received", public, anonymous, page, s.getReceived},
		{get, "/pay/:token", public, anonymous, page, s.getPay},
		{post, "/pay/:token/open", public, anonymous, form, s.postOpen},
		{get, "/pay/:token/status", public, anonymous, page, s.getStatus},
		{get, "/pay/:token/events", public, anonymous, live, s.getEvents},
		{get, "/pay/:token/back", public, anonymous, page, s.getBack},
		{get, "/refund/:token", public, anonymous, page, s.getRefund},
		{post, "/refund/:token", public, anonymous, form, s.postRefund},
		{get, "/subscription/:token", public, anonymous, page, s.getCustomer},
		{post, "/subscription/:token/card", public, anonymous, form, s.postCustomerCard},
		{post, "/subscription/:token/stop", public, anonymous, form, s.postCustomerStop},
		{get, "/static/*", public, anonymous, file, s.getStatic},

		{post, "/smartro/return", gateway, anonymous, claim, s.receiveReturn},
		{get, "/smartro/return", gateway, anonymous, claim, s.receiveReturn},
		{post, "/smartro/stop", gateway, anonymous, claim, s.receiveStop},
		{get, "/smartro/stop", gateway, anonymous, claim, s.receiveStop},
		{post, "/smartro/card", gateway, anonymous, claim, s.receiveCard},
		{get, "/smartro/card", gateway, anonymous, claim, s.receiveCard},
		{post, "/smartro/card/stop", gateway, anonymous, claim, s.receiveCard},
		{get, "/smartro/card/stop", gateway, anonymous, claim, s.receiveCard},
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
	case "":
		bad("it declares no right")
	default:
		if r.right != signedIn && r.right != halfway && !slices.Contains(app.Rights(), r.right) {
			bad("there is no right %q", r.right)
		}
		if r.authority != session {
			bad("the right %q can only come with a session", r.right)
		}
	}
	if r.authority != anonymous && r.authority != session {
		bad("it declares no authority")
	}
	most := int64(maxBody)
	if r.budget.room == uploads { // its handler reads it onto the disk
		most = upload
	}
	if r.budget.body <= 0 || r.budget.body > most {
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

// maxBody is the most that a route may take whose body is read into memory before it is looked at.
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
