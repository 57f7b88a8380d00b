package app

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gage/smartro"
)

// The list of transactions that the gateway's merchant site offers as a file has columns that no document describes:
// they are recognised by their titles, shown, and a person may say otherwise.

// ListField is what a column of the gateway's list tells.
type ListField string

// The fields. A list needs FieldTID, FieldAmount and FieldKind; the others help.
const (
	FieldKind      ListField = "kind"       // approved, cancelled, …
	FieldTID       ListField = "tid"        // of the approval, or the row's own where FieldOTID is there
	FieldOTID      ListField = "otid"       // of the approval that a cancel is of
	FieldMoid      ListField = "moid"       //
	FieldMID       ListField = "mid"        //
	FieldAmount    ListField = "amount"     // of what the row tells
	FieldBack      ListField = "back"       // all that went back so far, in a list with one row for each payment
	FieldAt        ListField = "at"         // date, or date and time
	FieldClock     ListField = "clock"      // time, where FieldAt is a date alone
	FieldBackAt    ListField = "back_at"    // of what went back, in a list with one row for each payment
	FieldMethod    ListField = "method"     //
	FieldAuthCode  ListField = "auth_code"  //
	FieldCancelNum ListField = "cancel_num" //
)

// ListFields are the fields in the order in which they are asked.
func ListFields() []ListField {
	return []ListField{
		FieldKind, FieldTID, FieldOTID, FieldMoid, FieldMID, FieldAmount, FieldBack, FieldAt, FieldClock, FieldBackAt, FieldMethod, FieldAuthCode, FieldCancelNum,
	}
}

// titles are what a column may be called, folded: the first that a list has counts.
func (f ListField) titles() []string {
	switch f {
	case FieldKind:
		return []string{"거래구분", "거래종류", "거래유형", "거래상태", "결제상태", "승인구분", "승인취소구분", "구분", "상태", "kind", "type", "status", "transactiontype", "state"}
	case FieldTID:
		return []string{"거래번호", "거래id", "거래고유번호", "tid", "pg거래번호", "결제번호", "transactionid"}
	case FieldOTID:
		return []string{"원거래번호", "원거래id", "원tid", "원승인tid", "otid", "originaltid", "originaltransactionid"}
	case FieldMoid:
		return []string{"주문번호", "상점주문번호", "가맹점주문번호", "moid", "oid", "orderno", "ordernumber", "orderid", "주문id"}
	case FieldMID:
		return []string{"상점id", "상점아이디", "가맹점id", "mid", "merchantid", "가맹점번호", "상점번호"}
	case FieldAmount:
		return []string{"거래금액", "결제금액", "승인금액", "금액", "amt", "amount", "거래액"}
	case FieldBack:
		return []string{"취소금액", "누적취소금액", "취소합계", "환불금액", "cancelamt", "cancelamount", "cancelledamount", "refundedamount"}
	case FieldAt:
		return []string{"거래일시", "승인일시", "결제일시", "거래일자", "승인일자", "결제일자", "거래일", "승인일", "결제일", "일시", "일자", "date", "datetime", "transactiondate", "approvedat"}
	case FieldClock:
		return []string{"거래시각", "거래시간", "승인시각", "승인시간", "결제시간", "시각", "시간", "time"}
	case FieldBackAt:
		return []string{"취소일시", "취소일자", "취소일", "환불일시", "canceldate", "cancelledat"}
	case FieldMethod:
		return []string{"결제수단", "지불수단", "결제방법", "결제구분", "paymethod", "method", "paymentmethod"}
	case FieldAuthCode:
		return []string{"승인번호", "카드승인번호", "authcode", "approvalno", "approvalnumber"}
	case FieldCancelNum:
		return []string{"취소번호", "취소승인번호", "cancelnum", "cancelnumber"}
	}
	return nil
}

// ListColumns says which column of a list is which field, from 0.
type ListColumns map[ListField]int

// Complete says whether a list can be read with these.
func (c ListColumns) Complete() bool {
	for _, f := range []ListField{FieldKind, FieldTID, FieldAmount} {
		if _, ok := c[f]; !ok {
			return false
		}
	}
	return true
}

// foldTitle leaves of a column's title what does not differ between two programs: letters and digits.
func foldTitle(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, FoldSearch(s))
}

// recognise finds the fields among the titles: by the whole title first, else by its beginning.
func recognise(titles []string) ListColumns {
	folded := make([]string, len(titles))
	for i, t := range titles {
		folded[i] = foldTitle(t)
	}
	found, taken := ListColumns{}, map[int]bool{}
	for _, fits := range []func(have, title string) bool{func(have, title string) bool { return have == title }, strings.HasPrefix} {
		for _, f := range ListFields() {
			if _, ok := found[f]; ok {
				continue
			}
			for _, title := range f.titles() {
				i := slices.IndexFunc(folded, func(have string) bool { return fits(have, title) })
				if i >= 0 && !taken[i] {
					found[f], taken[i] = i, true
					break
				}
			}
		}
	}
	return found
}

// titlesWithin is how far down the titles of a list may stand: some files begin with who asked for what.
const titlesWithin = 20

// fewestColumns is how many columns a list has at least: what happened, to which transaction, how much.
const fewestColumns = 3

// findTitles is the row of the titles: the one with the most fields, else the first that is as wide as a list.
func findTitles(table [][]string) (row int, ok bool) {
	most, wide := fewestColumns-1, -1
	for i := range min(titlesWithin, len(table)) {
		if n := len(recognise(table[i])); n > most {
			most, row, ok = n, i, true
		}
		if wide < 0 && len(slices.DeleteFunc(slices.Clone(table[i]), blank)) >= fewestColumns {
			wide = i
		}
	}
	if !ok && wide >= 0 {
		return wide, true
	}
	return row, ok
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// ListRow is what one row of the gateway's list says, in the words of this package.
type ListRow struct {
	Line      int // of the file, from 1
	Raw       string
	Kind      EventKind // Approved, Deposited, VbankIssued, CancelNotice or RefundNotice; empty: nothing that moves money
	MID       MID
	TID       TID // of the approval
	Own       TID // of a cancel itself; empty: it has none
	Moid      Moid
	Method    Method
	Amount    Won
	Total     bool      // Amount is all that went back so far
	At        time.Time // zero: the row does not say
	Exact     bool      // At is to the second
	AuthCode  string
	CancelNum string
	Fault     ListFault // why it can't be read; empty: it can
}

// money says that the row is about money that came.
func (r ListRow) money() bool { return r.Kind == Approved || r.Kind == Deposited }

// back says that the row is about money that went back.
func (r ListRow) back() bool { return r.Kind == CancelNotice || r.Kind == RefundNotice }

// ListFault says what of a row can't be read.
type ListFault string

// The faults.
const (
	FaultKind   ListFault = "kind"
	FaultTID    ListFault = "tid"
	FaultAmount ListFault = "amount"
	FaultTime   ListFault = "time"
)

// readRows reads the rows below the titles. A row that tells of a payment and of what went back of it becomes two.
func readRows(table [][]string, titles int, c ListColumns) []ListRow {
	var rows []ListRow
	for i := titles + 1; i < len(table); i++ {
		if blank(strings.Join(table[i], "")) {
			continue
		}
		rows = append(rows, readRow(table[i], i+1, c)...)
	}
	return rows
}

func readRow(cells []string, line int, c ListColumns) []ListRow {
	get := func(f ListField) string {
		if i, ok := c[f]; ok && i < len(cells) {
			return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(cells[i]), "'"))
		}
		return ""
	}
	r := ListRow{
		Line: line, Raw: strings.Join(cells, " | "), AuthCode: get(FieldAuthCode), CancelNum: get(FieldCancelNum), Method: readMethod(get(FieldMethod)),
	}
	bad := func(f ListFault) []ListRow {
		r.Fault = f
		return []ListRow{r}
	}
	kind, known := readKind(get(FieldKind))
	if !known {
		return bad(FaultKind)
	}
	r.Kind = kind
	if kind == "" {
		return []ListRow{r}
	}
	var err error
	own := get(FieldTID)
	if r.TID, err = smartro.ParseTID(own); err != nil {
		return bad(FaultTID)
	}
	if of := get(FieldOTID); r.back() && of != "" && of != own {
		r.Own = r.TID
		if r.TID, err = smartro.ParseTID(of); err != nil {
			return bad(FaultTID)
		}
	}
	r.Moid, _ = smartro.ParseMoid(get(FieldMoid))
	r.MID = r.TID.MID()
	if mid := get(FieldMID); mid != "" {
		r.MID = MID(mid)
	}
	amount, ok := readListWon(get(FieldAmount))
	if !ok {
		return bad(FaultAmount)
	}
	r.Amount = amount
	if r.At, r.Exact, ok = readListTime(get(FieldAt), get(FieldClock)); !ok {
		return bad(FaultTime)
	}
	total, hasTotal := readListWon(get(FieldBack))
	if _, mapped := c[FieldBack]; !mapped || !hasTotal || total == 0 && !r.back() {
		return []ListRow{r}
	}
	// One row for each payment: what came, and what of it went back so far.
	came, gone := r, r
	if r.back() {
		came.Kind = Approved
		if r.Method == smartro.Vbank {
			came.Kind = Deposited
		}
	} else {
		gone.Kind = CancelNotice
	}
	came.Own, gone.CancelNum = "", r.CancelNum
	gone.Amount, gone.Total = total, true
	if total == 0 {
		gone.Amount = r.Amount
	}
	gone.At, gone.Exact, ok = readListTime(get(FieldBackAt), "")
	if !ok {
		return bad(FaultTime)
	}
	return []ListRow{came, gone}
}

// readKind understands the gateway's word for what happened; known with an empty kind: nothing that moves money.
func readKind(s string) (kind EventKind, known bool) {
	s = foldTitle(s)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
	}
	switch {
	case s == "":
		return "", false
	case has("실패", "거절", "오류", "fail", "declin", "error"):
		return "", true
	case has("발급", "채번", "대기", "미입금", "입금전", "issue", "wait"): // withdrawn, too: no money came
		return VbankIssued, true
	case has("환불", "refund"):
		return RefundNotice, true
	case has("취소", "cancel", "void"):
		return CancelNotice, true
	case has("입금", "수납", "deposit"):
		return Deposited, true
	case has("승인", "결제", "완료", "정상", "매입", "approv", "paid", "done", "complete", "success"):
		return Approved, true
	}
	return "", false
}

// readMethod understands the gateway's word for a way to pay; empty: it is none that we know.
func readMethod(s string) Method {
	if m, err := smartro.ParseMethod(strings.ToUpper(s)); err == nil {
		return m
	}
	s = foldTitle(s)
	for _, m := range []struct {
		word   string
		method Method
	}{
		{"가상", smartro.Vbank}, {"무통장", smartro.Vbank}, {"계좌이체", smartro.Bank}, {"이체", smartro.Bank}, {"휴대", smartro.Cellphone},
		{"문화상품권", smartro.CLGift}, {"카카오", smartro.Kakao}, {"토스", smartro.Toss}, {"카드", smartro.Card}, {"card", smartro.Card},
	} {
		if strings.Contains(s, m.word) {
			return m.method
		}
	}
	return ""
}

// readListWon reads an amount as spreadsheets write it; one that went back may have a sign. Empty is none.
func readListWon(s string) (Won, bool) {
	s = strings.NewReplacer(",", "", " ", "", "원", "", "₩", "", "￦", "", "KRW", "").Replace(s)
	if inner, ok := strings.CutPrefix(s, "("); ok {
		s = strings.TrimSuffix(inner, ")")
	}
	s = strings.TrimLeft(s, "-−－")
	whole, rest, _ := strings.Cut(s, ".")
	if strings.Trim(rest, "0") != "" {
		return 0, false
	}
	w, err := smartro.ParseWon(whole)
	return w, err == nil
}

// readListTime reads a time as spreadsheets write it, in Korea. An empty one is none; ok is false for what is no time.
func readListTime(date, clock string) (at time.Time, exact, ok bool) {
	s := strings.TrimSpace(date + " " + clock)
	if s == "" {
		return at, false, true
	}
	for _, layout := range []struct {
		form  string
		exact bool
	}{
		{"2006-01-02 15:04:05", true}, {"2006-01-02T15:04:05", true}, {"2006-01-02 150405", true}, {"20060102 150405", true}, {"20060102 15:04:05", true},
		{"20060102150405", true}, {"060102150405", true}, {"2006-01-02 15:04", false}, {"20060102 1504", false}, {"200601021504", false}, {"2006-01-02", false}, {"20060102", false},
	} {
		plain := strings.NewReplacer(".", "-", "/", "-").Replace(s)
		if at, err := time.ParseInLocation(layout.form, plain, KST); err == nil {
			return at.UTC(), layout.exact, true
		}
	}
	if days, err := strconv.ParseFloat(s, 64); err == nil && days > 36526 && days < 73051 { // a spreadsheet's serial number, 2000 to 2100
		seconds := int64(days*86400 + 0.5)
		return time.Date(1899, 12, 30, 0, 0, 0, 0, KST).Add(time.Duration(seconds) * time.Second).UTC(), seconds%86400 != 0, true
	}
	return at, false, false
}

// listTime is a row's time as the gateway's messages write it; empty: not to the second.
func (r ListRow) listTime() string {
	if !r.Exact {
		return ""
	}
	return r.At.In(KST).Format("060102150405")
}

// String finds the row, and says nothing of a buyer.
func (r ListRow) String() string {
	return fmt.Sprintf("line %d: %s %s %d", r.Line, r.Kind, r.TID, r.Amount)
}
