package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"gage/smartro"
)

// shownOnPage bounds the lists of the control page; the API tells all.
const shownOnPage = 50

type controlData struct {
	apiStateAnswer
	Endpoints      smartro.Endpoints
	Key            string // only on request
	CancelPassword string
	Problem        string
}

func (g *Gateway) controlPage(w http.ResponseWriter, r *http.Request) {
	g.drawControl(w, r, http.StatusOK, "")
}

func (g *Gateway) drawControl(w http.ResponseWriter, r *http.Request, status int, problem string) {
	d := controlData{apiStateAnswer: g.stateNow(shown{newest: shownOnPage}), Endpoints: smartro.EndpointsAt(g.baseURL(r)), Problem: problem}
	if r.URL.Query().Get("key") == "show" {
		d.Key, d.CancelPassword = g.key().Reveal(), g.cfg.CancelPassword.Reveal()
	}
	g.pages.render(w, status, "control.html", d)
}

func (g *Gateway) baseURL(r *http.Request) string {
	if g.cfg.BaseURL != "" {
		return g.cfg.BaseURL
	}
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// faultsFromPage takes the control page's form: one fault at a time, or all of them off.
func (g *Gateway) faultsFromPage(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("fault") == "all" {
		g.faults.clear()
		http.Redirect(w, r, "/control#faults", http.StatusSeeOther)
		return
	}
	ms, err := strconv.ParseInt("0"+r.FormValue("delay_ms"), 10, 32)
	if err != nil {
		g.drawControl(w, r, http.StatusBadRequest, "지연은 밀리초 숫자입니다.")
		return
	}
	if err := g.faults.order(fault(r.FormValue("fault")), r.FormValue("scope"), time.Duration(ms)*time.Millisecond); err != nil {
		g.drawControl(w, r, http.StatusBadRequest, err.Error())
		return
	}
	http.Redirect(w, r, "/control#faults", http.StatusSeeOther)
}

func (g *Gateway) notifyFromPage(w http.ResponseWriter, r *http.Request) {
	if _, err := g.sendAgain(smartro.TID(r.FormValue("tid"))); err != nil {
		status, text := orderError(err)
		g.drawControl(w, r, status, text)
		return
	}
	http.Redirect(w, r, "/control#notices", http.StatusSeeOther)
}

type merchantData struct {
	apiStateAnswer
	Settings settings
	Minutes  string
	Problem  string
	Saved    bool
}

// merchantPage is the merchant site's notification set-up (weblink §7).
func (g *Gateway) merchantPage(w http.ResponseWriter, r *http.Request) {
	g.drawMerchant(w, http.StatusOK, merchantData{Saved: r.URL.Query().Get("saved") == "1"})
}

func (g *Gateway) drawMerchant(w http.ResponseWriter, status int, d merchantData) {
	d.apiStateAnswer = g.stateNow(shown{newest: shownOnPage})
	g.ledger.read(func(v *view) { d.Settings = v.settings })
	d.Minutes = strconv.FormatFloat(d.Settings.Every.Minutes(), 'f', -1, 64)
	g.pages.render(w, status, "merchant.html", d)
}

func (g *Gateway) merchantFromPage(w http.ResponseWriter, r *http.Request) {
	url := strings.TrimSpace(r.FormValue("url"))
	minutes, err1 := strconv.ParseFloat(r.FormValue("minutes"), 64)
	count, err2 := strconv.Atoi(r.FormValue("count"))
	cs, err3 := smartro.ParseCharset(r.FormValue("charset"))
	problem := ""
	switch {
	case url != "" && !isAbsoluteURL(url):
		problem = "통보 URL은 http:// 또는 https:// 로 시작하는 전체 주소입니다."
	case err1 != nil || !(minutes >= 0.01 && minutes <= 10):
		problem = "재통보 간격은 1~10분입니다 (시험을 위해 0.01분부터 받습니다)."
	case err2 != nil || count < 1 || count > 10:
		problem = "재통보 횟수는 1~10회입니다."
	case err3 != nil:
		problem = "문자셋은 euckr 또는 utf8입니다."
	}
	if problem != "" {
		g.drawMerchant(w, http.StatusBadRequest, merchantData{Problem: problem})
		return
	}
	err := g.ledger.update(func(*view) (entry, error) {
		s := settings{
			NotifyURL: url, Every: time.Duration(minutes * float64(time.Minute)), Count: count, Charset: cs,
			ByGET: r.FormValue("method") == http.MethodGet, WholeOK: r.FormValue("whole_ok") == "on",
		}
		return entry{At: g.now(), Settings: &s}, nil
	})
	if err != nil {
		g.fail(w, err)
		return
	}
	http.Redirect(w, r, "/merchant?saved=1", http.StatusSeeOther)
}
