package web

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// right says who may call a route.
type right string

// The rights. gateway routes take posts from other sites and carry no authority: no cookie is read there.
const (
	public   right = "public"
	gateway  right = "gateway"
	signedIn right = "signed in"
	owner    right = "owner"
)

// route declares one way in. Only this table is mounted.
type route struct {
	method, path string
	right        right
	limit        string        // of the body
	wait         time.Duration // how long the answer may take; zero: as long as the client stays (streams)
	handler      echo.HandlerFunc
}

// How much may come, and how long an answer may take.
const (
	noBody  = "1K"
	form    = "64K" // also the most that a gateway's message may have
	quick   = 15 * time.Second
	patient = 90 * time.Second // a cancel waits for the gateway up to 60 s
	stream  = time.Duration(0)
)

// routes is the whole surface of the site.
func (s *Server) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	return []route{
		{get, "/healthz", public, noBody, quick, s.getHealth},
		{get, "/readyz", public, noBody, quick, s.getReady},

		{get, "/admin/sign-in", public, noBody, quick, s.getSignIn},
		{post, "/admin/sign-in", public, form, quick, s.postSignIn},
		{post, "/admin/sign-out", public, form, quick, s.postSignOut},
		{get, "/start/:token", public, noBody, quick, s.getInvite},
		{post, "/start/:token", public, form, quick, s.postInvite},
		{get, "/invite/:token", public, noBody, quick, s.getInvite},
		{post, "/invite/:token", public, form, quick, s.postInvite},

		{get, "/admin", signedIn, noBody, quick, s.getPayments},
		{get, "/admin/fresh", signedIn, noBody, quick, s.getFresh},
		{get, "/admin/payments/:moid", signedIn, noBody, quick, s.getPayment},
		{post, "/admin/payments/:moid/reveal", signedIn, form, quick, s.postReveal},
		{post, "/admin/payments/:moid/ask", signedIn, form, patient, s.postAsk},
		{post, "/admin/payments/:moid/accept", signedIn, form, quick, s.postAccept},
		{get, "/admin/payments/:moid/cancel", signedIn, noBody, quick, s.getCancel},
		{post, "/admin/payments/:moid/cancel", signedIn, form, patient, s.postCancel},
		{post, "/admin/cancels/:id/resend", signedIn, form, patient, s.postResend},
		{post, "/admin/cancels/:id/settle", signedIn, form, quick, s.postSettle},
		{get, "/admin/messages/:id", signedIn, noBody, quick, s.getMessage},

		{get, "/admin/requests", signedIn, noBody, quick, s.getRequests},
		{get, "/admin/requests/new", signedIn, noBody, quick, s.getNewRequest},
		{post, "/admin/requests/new", signedIn, form, quick, s.postNewRequest},
		{get, "/admin/requests/:no", signedIn, noBody, quick, s.getRequest},
		{get, "/admin/requests/:no/qr.svg", signedIn, noBody, quick, s.getRequestQR},
		{post, "/admin/requests/:no/close", signedIn, form, quick, s.postCloseRequest},

		{get, "/admin/work", signedIn, noBody, quick, s.getWork},
		{post, "/admin/holds/:id/close", signedIn, form, quick, s.postCloseHold},
		{post, "/admin/senders", owner, form, quick, s.postSender},

		{get, "/admin/settings", owner, noBody, quick, s.getSettings},
		{post, "/admin/settings/shop", owner, form, quick, s.postShopInfo},
		{post, "/admin/settings/gateway", owner, form, quick, s.postMerchant},
		{post, "/admin/settings/notice", owner, form, quick, s.postRotateNotice},
		{post, "/admin/settings/reconciled", owner, form, quick, s.postReconciled},
		{post, "/admin/settings/staff", owner, form, quick, s.postInviteStaff},
		{post, "/admin/settings/staff/reset", owner, form, quick, s.postResetStaff},
		{post, "/admin/settings/staff/disable", owner, form, quick, s.postDisableStaff},

		{get, "/", public, noBody, quick, s.getHome},
		{post, "/sample", public, form, quick, s.postSample},
		{get, "/pay/received", public, noBody, quick, s.getReceived},
		{get, "/pay/:token", public, noBody, quick, s.getPay},
		{post, "/pay/:token/open", public, form, quick, s.postOpen},
		{get, "/pay/:token/status", public, noBody, quick, s.getStatus},
		{get, "/pay/:token/events", public, noBody, stream, s.getEvents},
		{get, "/pay/:token/back", public, noBody, quick, s.getBack},
		{get, "/static/*", public, noBody, quick, s.getStatic},

		{post, "/smartro/return", gateway, form, quick, s.receiveReturn},
		{get, "/smartro/return", gateway, form, quick, s.receiveReturn},
		{post, "/smartro/stop", gateway, form, quick, s.receiveStop},
		{get, "/smartro/stop", gateway, form, quick, s.receiveStop},
		{post, "/smartro/notify", gateway, form, quick, s.receiveNotify},
		{get, "/smartro/notify", gateway, form, quick, s.receiveNotify},
		{post, "/smartro/notify/:secret", gateway, form, quick, s.receiveNotify},
		{get, "/smartro/notify/:secret", gateway, form, quick, s.receiveNotify},
	}
}
