package sandbox

import (
	"crypto/md5" // only to tell an integrator how a hash was made wrongly
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode"

	"gage/smartro"
)

// request is a payment request that was found good.
type request struct {
	device   smartro.Device
	fields   []smartro.Field
	warnings []string // what the sandbox lets pass though it will hurt somewhere else
}

// readForm reads a posted form without decoding its text. A nil refusal means success.
func readForm(r *http.Request) ([]received, *refusal) {
	if t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/x-www-form-urlencoded" {
		return nil, &refusal{
			status: http.StatusUnsupportedMediaType, Title: "잘못된 호출 방식", Field: "Content-Type", Got: r.Header.Get("Content-Type"),
			Want: "application/x-www-form-urlencoded", Why: "결제창은 HTML form의 기본 방식(enctype을 지정하지 않은 POST)으로 열어야 합니다.",
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, &refusal{
			status: http.StatusRequestEntityTooLarge, Title: "요청이 너무 큽니다", Field: "body", Got: fmt.Sprintf("%d byte 초과", maxBody),
			Want: fmt.Sprintf("%d byte 이하", maxBody), Why: "결제 요청에는 결제에 필요한 항목만 담아 주세요. 상품 정보는 상점 DB에 두고 주문번호(Moid)로 찾습니다.",
		}
	}
	fields, ok := splitForm(string(body))
	if !ok {
		return nil, &refusal{
			Title: "form 인코딩 오류", Field: "body", Got: "% 뒤에 16진수 두 자리가 아닌 값", Want: "%XX",
			Why: "form 값의 퍼센트 인코딩이 깨져 있어 읽을 수 없습니다. 문자열을 직접 이어 붙이지 말고 브라우저의 form 전송을 사용해 주세요.",
		}
	}
	return fields, nil
}

// checker collects everything that is wrong with one request.
type checker struct {
	g        *Gateway
	device   smartro.Device
	came     map[string][]string // decoded, by name
	lengths  map[string]int      // bytes as received
	refusals []refusal
	warnings []string
}

// check judges a request in the order in which a gateway does: firewall, charset, fields, merchant, hash.
// What it returns is either a request or refusals; firewall says that the first of them is the firewall's.
func (g *Gateway) check(d smartro.Device, raw []received) (req request, refusals []refusal, firewall bool) {
	c := checker{g: g, device: d, came: map[string][]string{}, lengths: map[string]int{}}
	rules := append(commonRules(), methodRules()...)
	req = request{device: d, fields: c.decode(rules, raw)}
	if r, hit := firewallHit(req.fields); hit {
		return request{}, []refusal{r}, true
	}
	if len(c.refusals) > 0 {
		return request{}, c.refusals, false // in the wrong charset nothing else can be judged
	}
	for _, r := range rules {
		c.checkField(r)
	}
	c.refusals = append(c.refusals, conditions(d, c.get, g.now())...)
	c.checkMerchant()
	c.checkCipher()
	if len(c.refusals) == 0 {
		c.checkHash()
	}
	if len(c.refusals) > 0 {
		return request{}, c.refusals, false
	}
	req.warnings = c.warnings
	return req, nil, false
}

func (c *checker) get(name string) string {
	if v := c.came[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (c *checker) add(r refusal) { c.refusals = append(c.refusals, r) }

// decode reads every field in the window's charset (weblink §2.5) and reports those that are in another one.
func (c *checker) decode(rules []rule, raw []received) []smartro.Field {
	cs := c.device.Charset()
	text := map[string]bool{}
	for _, r := range rules {
		text[r.name] = r.text
	}
	var fields []smartro.Field
	for _, f := range raw {
		name := smartro.UTF8.Decode([]byte(f.name))
		value, problem := decodeText(f.raw, cs, text[name])
		if problem != fine {
			c.add(charsetRefusal(c.device, name, value, problem))
		}
		c.came[name] = append(c.came[name], value)
		c.lengths[name] = cs.Len(value)
		switch name {
		case "merchantKey":
			c.warnings = append(c.warnings, "merchantKey가 브라우저를 거쳐 왔습니다. 이 값은 서버 밖으로 내보내면 안 됩니다.")
		case "EncryptData":
		default:
			fields = append(fields, smartro.Field{Name: name, Value: value})
		}
		if outside := beyondKSX1001(value); cs == smartro.EUCKR && outside != "" {
			c.warnings = append(c.warnings, name+"에 KS X 1001에 없는 글자가 있습니다: "+outside+" 게이트웨이 화면에서 깨질 수 있습니다.")
		}
		if strings.Contains(value, "&#") {
			c.warnings = append(c.warnings, name+"에 &#NNNN; 꼴의 글자가 있습니다. 브라우저가 EUC-KR에 없는 글자를 바꾼 것입니다.")
		}
	}
	return fields
}

func charsetRefusal(d smartro.Device, field, got string, p textProblem) refusal {
	r := refusal{Title: "문자셋(charset) 오류", Field: field, Got: got}
	switch {
	case d == smartro.Mobile:
		r.Want = "UTF-8"
		r.Why = "모바일 결제창은 UTF-8로 받습니다. 보낸 바이트는 UTF-8이 아닙니다 (EUC-KR로 읽으면 위와 같습니다). form의 accept-charset을 UTF-8로 해 주세요."
	case p == otherCharset:
		r.Want = "EUC-KR"
		r.Why = `PC 결제창은 EUC-KR로 받습니다. 보낸 바이트는 UTF-8 한글이라 결제창에서 깨져 보입니다. form에 accept-charset="EUC-KR"을 지정해 주세요.`
	default:
		r.Want = "EUC-KR"
		r.Why = "PC 결제창은 EUC-KR로 받습니다. 보낸 바이트 중에 EUC-KR이 아닌 것이 있습니다 (� 자리)."
	}
	return r
}

// checkField applies one row of the table.
func (c *checker) checkField(r rule) {
	values := c.came[r.name]
	if len(values) > 1 {
		c.add(refusal{
			Title: "항목 중복", Field: r.name, Got: strings.Join(values, " | "), Want: "한 번만",
			Why: "같은 이름의 항목이 두 번 왔습니다. 어느 값이 맞는지 알 수 없으므로 처리하지 않습니다.",
		})
		return
	}
	v := c.get(r.name)
	if v == "" {
		if r.requiredOn(c.device, c.g.cfg.Strict) {
			c.add(c.missing(r.name))
		}
		return
	}
	if limit := r.limit(c.device); c.lengths[r.name] > limit {
		c.add(refusal{
			Title: "길이 초과 (byte length over)", Field: r.name, Got: fmt.Sprintf("%s (%d byte)", v, c.lengths[r.name]),
			Want: fmt.Sprintf("%d byte 이하", limit), Why: lengthReason(c.device),
		})
		return
	}
	if r.check == nil {
		return
	}
	if want := r.check(v); want != "" {
		c.add(refusal{Title: "항목 값 오류", Field: r.name, Got: v, Want: want, Why: valueReason(r.name)})
	}
}

func (c *checker) missing(name string) refusal {
	why := "필수 항목이 없거나 비어 있습니다. form 안에 있는지, 이름의 대소문자가 같은지 확인해 주세요."
	for other := range c.came {
		if other != name && strings.EqualFold(other, name) {
			why = "항목 이름은 대소문자를 구별합니다: " + other + " 대신 " + name + " 으로 보내 주세요."
		}
	}
	return refusal{Title: "필수 항목 누락", Field: name, Got: "(없음)", Want: name, Why: why}
}

func (c *checker) checkMerchant() {
	if got := c.get("MID"); mid(got) == "" && got != string(c.g.cfg.MID) {
		c.add(refusal{
			Title: "상점 ID 확인 실패", Field: "MID", Got: got, Want: string(c.g.cfg.MID),
			Why: "등록되지 않은 상점 ID입니다. 테스트와 운영의 MID가 섞이지 않았는지 확인해 주세요. 이 모의 게이트웨이는 한 상점만 받습니다 (시작할 때 --mid).",
		})
	}
}

// checkHash compares EncryptData and, where it is wrong, tries to tell how it was made.
func (c *checker) checkHash() {
	amt, err := smartro.ParseWon(c.get("Amt"))
	if err != nil {
		return // reported by its own row
	}
	got, key, form := c.get("EncryptData"), c.g.key(), c.g.cfg.Hash
	if smartro.EqualHash(got, smartro.EncryptData(form, c.get("ediDate"), c.g.cfg.MID, amt, key)) {
		return
	}
	c.add(refusal{
		Title: "HASH 유효성 확인 실패", Field: "EncryptData", Got: got, Want: hashRecipe(form), Why: c.hashReason(got, amt),
	})
}

func hashRecipe(form smartro.HashForm) string {
	if form == smartro.SHA256 {
		return "Base64(SHA-256(ediDate + MID + Amt + merchantKey)), 44자"
	}
	return "Base64(hex(MD5(ediDate + MID + Amt + merchantKey))), 44자"
}

func (c *checker) hashReason(got string, amt smartro.Won) string {
	date, key := c.get("ediDate"), c.g.key()
	other := smartro.SHA256
	if c.g.cfg.Hash == smartro.SHA256 {
		other = smartro.MD5
	}
	sum := md5.Sum([]byte(date + string(c.g.cfg.MID) + amt.String() + key.Reveal()))
	plain, _ := base64.StdEncoding.DecodeString(key.Reveal())
	decoded := smartro.EncryptData(c.g.cfg.Hash, date, c.g.cfg.MID, amt, smartro.Secret(plain))
	switch {
	case got == smartro.EncryptData(other, date, c.g.cfg.MID, amt, key):
		return fmt.Sprintf("값은 맞지만 형식이 다릅니다: %s로 만들어 보냈는데 이 상점의 설정은 %s입니다. 해시 형식은 상점 계약(MID)마다 정해져 있습니다.", other, c.g.cfg.Hash)
	case got == base64.StdEncoding.EncodeToString(sum[:]):
		return "MD5의 16바이트를 그대로 Base64로 바꾼 값입니다. 16진수 소문자 문자열로 바꾼 뒤에 Base64로 바꿔야 합니다."
	case got == hex.EncodeToString(sum[:]):
		return "MD5의 16진수 문자열입니다. 이것을 한 번 더 Base64로 바꿔야 합니다."
	case got == decoded:
		return "merchantKey를 Base64로 풀어서 계산했습니다. 상점 관리자 화면에 적힌 글자 그대로 써야 합니다."
	case len(got) != 44:
		return fmt.Sprintf("EncryptData는 언제나 44자인데 %d자가 왔습니다. 값을 자르거나 Base64를 빼먹지 않았는지 확인해 주세요.", len(got))
	}
	return "EncryptData가 보낸 ediDate·MID·Amt와 맞지 않습니다. merchantKey가 이 MID의 것인지, Amt에 쉼표가 없는지, ediDate가 해시에 쓴 값과 똑같은지 확인해 주세요."
}

func lengthReason(d smartro.Device) string {
	if d == smartro.PC {
		return "길이는 글자 수가 아니라 byte로 셉니다. PC 결제창(EUC-KR)에서 한글은 2 byte입니다."
	}
	return "길이는 글자 수가 아니라 byte로 셉니다. 모바일 결제창(UTF-8)에서 한글은 3 byte입니다. GoodsName이 80 byte를 넘으면 ISP 인증이 실패합니다."
}

func valueReason(field string) string {
	switch field {
	case "Moid":
		return "주문번호에 쓸 수 없는 글자가 있습니다."
	case "Amt":
		return "금액은 원 단위의 숫자입니다. 33,000원은 33000으로 보냅니다."
	case "MID":
		return "상점 ID는 언제나 10자리입니다."
	case "ReturnURL", "StopURL", "RetryURL":
		return "scheme(http://, https://)을 포함한 전체 URL이 아니면 결제 뒤에 상점으로 돌아갈 수 없습니다."
	case "SocketYN":
		return "WEBLink는 인증과 승인이 한 번에 끝납니다."
	}
	return "연동 규격에 없는 값입니다."
}

// firewallHit looks for what the gateway's web firewall dislikes in any value (guide 6.5): quotes, angle
// brackets and text that reads like SQL or a script.
func firewallHit(fields []smartro.Field) (refusal, bool) {
	for _, f := range fields {
		lower := strings.ToLower(strings.Map(func(r rune) rune {
			if unicode.IsSpace(r) {
				return ' '
			}
			return r
		}, f.Value))
		for _, bad := range []string{"<", ">", `"`, "'", "\x00", "--", "/*", "; drop ", ";drop ", " or 1=1", "union select", "select * from", "javascript:"} {
			if bad == "--" && isAbsoluteURL(f.Value) {
				continue // a Korean domain name is xn--… in ASCII
			}
			if strings.Contains(lower, bad) {
				return refusal{
					Title: "The requested URL was rejected", Field: f.Name, Got: f.Value, Want: fmt.Sprintf("%q 가 없는 값", bad),
					Why: "게이트웨이 앞의 웹 방화벽이 공격으로 보고 막았습니다. 따옴표, 꺾쇠(< >), SQL처럼 보이는 글은 상품명·구매자명에서 빼 주세요. 결과는 상점에 아예 오지 않습니다.",
				}, true
			}
		}
	}
	return refusal{}, false
}
