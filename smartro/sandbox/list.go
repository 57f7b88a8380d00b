package sandbox

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"gage/smartro"
)

// The merchant site offers its transactions as a file. No document describes the file: this one is plausible, in two
// forms, so that whoever reads such lists can try both (see GET /merchant/list).

// listForm says what a row of the list is.
type listForm string

const (
	listEvents   listForm = "events"   // something that happened: approved, deposited, cancelled
	listPayments listForm = "payments" // a payment as it stands now
)

// listTitles are the columns of a form.
func (f listForm) titles() []string {
	if f == listPayments {
		return []string{"No", "상점ID", "결제상태", "결제일시", "거래ID", "주문번호", "결제수단", "승인번호", "결제금액", "취소금액", "취소일시", "구매자명", "상품명"}
	}
	return []string{"No", "상점ID", "거래구분", "거래일자", "거래시각", "거래번호", "원거래번호", "주문번호", "결제수단", "승인번호", "거래금액", "구매자명", "상품명"}
}

// downloadList handles GET /merchant/list?format=csv|xlsx&charset=euckr|utf8&form=events|payments.
func (g *Gateway) downloadList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	form := listForm(q.Get("form"))
	if form != listPayments {
		form = listEvents
	}
	cs, err := smartro.ParseCharset(q.Get("charset"))
	if err != nil {
		cs = smartro.EUCKR
	}
	table := g.list(form)
	name := "attachment; filename=transactions-" + g.now().In(kst()).Format("20060102")
	if q.Get("format") == "xlsx" {
		body, err := listWorkbook(table)
		if err != nil {
			g.fail(w, err)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		w.Header().Set("Content-Disposition", name+".xlsx")
		_, _ = w.Write(body)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset="+cs.Label())
	w.Header().Set("Content-Disposition", name+".csv")
	_, _ = w.Write(listCSV(table, cs))
}

// list is the ledger as a table, oldest first, its titles below a line that says what it is.
func (g *Gateway) list(form listForm) [][]string {
	table := [][]string{{"거래내역 조회", string(g.cfg.MID), "모의 게이트웨이"}, form.titles()}
	g.ledger.read(func(v *view) {
		for _, tid := range v.order {
			rows := g.eventRows(v.payments[tid])
			if form == listPayments {
				rows = g.paymentRow(v.payments[tid])
			}
			for _, row := range rows {
				table = append(table, slices.Insert(row, 0, smartro.Won(len(table)-1).String(), string(g.cfg.MID)))
			}
		}
	})
	return table
}

// eventRows are what happened to a payment, without what stands before every row.
func (g *Gateway) eventRows(p payment) (rows [][]string) {
	add := func(kind string, at time.Time, own, of smartro.TID, amt smartro.Won) {
		rows = append(rows, []string{
			kind, day(at), clock(at), string(own), string(of), p.Moid, methodName(p.Method), p.AuthCode, comma(amt.String()), listText(p.field("BuyerName")), listText(p.field("GoodsName")),
		})
	}
	switch {
	case !p.approved() && p.State != declined:
		return nil
	case p.State == declined:
		add("승인실패", p.DecidedAt, p.TID, "", p.Amt)
	case p.Method == smartro.Vbank:
		add("계좌발급", p.DecidedAt, p.TID, "", p.Amt)
		if p.Deposited > 0 {
			add("입금", p.DepositedAt, p.TID, "", p.Deposited)
		}
	default:
		add("승인", p.DecidedAt, p.TID, "", p.Amt)
	}
	for _, c := range p.Cancels {
		kind := "취소"
		switch {
		case c.Code == codeRefunded:
			kind = "환불"
		case c.Part:
			kind = "부분취소"
		}
		add(kind, c.At, c.TID, p.TID, c.Amt)
	}
	return rows
}

// paymentRow is a payment as it stands.
func (g *Gateway) paymentRow(p payment) [][]string {
	words := map[state]string{waiting: "입금대기", paid: "승인", declined: "승인실패", partlyCancelled: "부분취소", cancelled: "취소", withdrawn: "미입금취소"}
	word, at, amt := words[p.State], p.DecidedAt, p.Amt
	if word == "" {
		return nil
	}
	if p.Method == smartro.Vbank && p.Deposited > 0 {
		at, amt = p.DepositedAt, p.Deposited
		if p.State == paid {
			word = "입금완료"
		}
	}
	back, backAt := smartro.Won(0), time.Time{}
	for _, c := range p.Cancels {
		back, backAt = back+c.Amt, c.At
	}
	if p.State == withdrawn {
		back = 0
	}
	return [][]string{{
		word, stamp(at), string(p.TID), p.Moid, methodName(p.Method), p.AuthCode, comma(amt.String()), comma(back.String()), stamp(backAt), listText(p.field("BuyerName")), listText(p.field("GoodsName")),
	}}
}

func day(t time.Time) string   { return t.In(kst()).Format("2006-01-02") }
func clock(t time.Time) string { return t.In(kst()).Format("15:04:05") }

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return day(t) + " " + clock(t)
}

// listText is what a buyer typed, so that no spreadsheet runs it.
func listText(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", []rune(s)[0]) {
		return "'" + s
	}
	return s
}

func listCSV(table [][]string, cs smartro.Charset) []byte {
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	_ = w.WriteAll(table) // into memory: it can't fail
	body, _ := cs.Encode(text.String())
	if cs == smartro.UTF8 {
		body = append([]byte("\uFEFF"), body...)
	}
	return body
}

func listWorkbook(table [][]string) ([]byte, error) {
	book := excelize.NewFile()
	defer book.Close()
	for i, row := range table {
		at, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			return nil, err
		}
		if err := book.SetSheetRow("Sheet1", at, &row); err != nil {
			return nil, err
		}
	}
	var body bytes.Buffer
	_, err := book.WriteTo(&body)
	return body.Bytes(), err
}
