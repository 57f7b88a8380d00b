package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"gage/smartro"
)

// conditions are the fields that one value makes another one need (weblink §2.2, §2.3).
func conditions(d smartro.Device, get func(string) string, now time.Time) []refusal {
	var found []refusal
	missing := func(field, want, why string) {
		if get(field) == "" {
			found = append(found, refusal{Title: "필수 항목 누락", Field: field, Got: "(없음)", Want: want, Why: why})
		}
	}
	wrong := func(field, want, why string) {
		found = append(found, refusal{Title: "항목 값 오류", Field: field, Got: get(field), Want: want, Why: why})
	}
	method := smartro.Method(get("PayMethod"))
	switch method {
	case smartro.Vbank:
		missing("VbankExpDate", "yyyyMMdd 8자리", "가상계좌(VBANK)는 입금 기한이 있어야 계좌를 발급합니다.")
		if v := get("VbankExpDate"); len(v) >= 8 && expDate(v) == "" && v[:8] < now.In(kst()).Format("20060102") {
			wrong("VbankExpDate", "오늘이거나 그 뒤의 날짜", "입금 기한이 이미 지난 계좌는 발급할 수 없습니다.")
		}
	case smartro.Cellphone:
		missing("GoodsCl", "0(컨텐츠) 또는 1(실물)", "휴대폰 결제(CELLPHONE)는 상품 구분이 상점 등록 정보와 같아야 합니다.")
	case smartro.CLGift:
		missing("mallUserID", "쇼핑몰 회원 ID", "상품권 결제(CLGIFT)는 회원 ID가 필수입니다.")
	case smartro.CardBill:
		found = append(found, registration(d, get)...)
	}
	if get("PayType") != "" && method != smartro.Kakao {
		wrong("PayType", "PayMethod=KAKAO 일 때만", "PayType(KPCD, KPMY)은 카카오페이의 하위 결제수단입니다.")
	}
	if get("clientType") == "HYB" && d == smartro.Mobile {
		missing("urlScheme", "앱 스킴 (예: myshop://pay)", "하이브리드 앱(clientType=HYB)은 인증 앱에서 돌아올 스킴이 필요합니다.")
	}
	if get("EscrowCD") == "1" {
		for _, f := range escrowFields() {
			missing(f, "에스크로 배송 정보", "EscrowCD=1(에스크로)이면 배송·판매자 정보가 모두 필요합니다.")
		}
	}
	for _, f := range []string{"SvcAmt", "Tax"} {
		if get(f) != "" && get(f) != "0" && get("TaxCD") == "" {
			wrong(f, "TaxCD=2 와 함께", "부가세·봉사료를 상점이 계산하는 계약(TaxCD=2)에서만 보냅니다.")
		}
	}
	if why := divided(get("DivideInfo"), get("Amt")); why != "" {
		wrong("DivideInfo", `Base64(UTF-8 JSON {"DivideInfo":[{"Amt":"…","MID":"…","GoodsName":"…"}]})`, why)
	}
	return found
}

// divided checks a sub-mall split: its parts must add up to the amount. Why is "" when there is none.
func divided(info, amt string) (why string) {
	if info == "" {
		return ""
	}
	if strings.Contains(info, "%") {
		if s, err := url.PathUnescape(info); err == nil {
			info = s
		}
	}
	text, err := base64.StdEncoding.DecodeString(info)
	if err != nil {
		return "Base64로 풀 수 없습니다."
	}
	var split struct {
		DivideInfo []struct{ Amt, MID, GoodsName string }
	}
	if err := json.Unmarshal(text, &split); err != nil || len(split.DivideInfo) == 0 {
		return "푼 값이 DivideInfo 목록을 담은 JSON이 아닙니다."
	}
	var sum smartro.Won
	for _, part := range split.DivideInfo {
		won, err := smartro.ParseWon(part.Amt)
		if err != nil {
			return "나눈 금액(Amt)이 숫자가 아닙니다."
		}
		sum += won
	}
	if want, err := smartro.ParseWon(amt); err == nil && sum != want {
		return "나눈 금액의 합 " + sum.String() + "원이 Amt " + want.String() + "원과 다릅니다."
	}
	return ""
}

// kst is Korea's local time, without summer time since 1988.
func kst() *time.Location { return time.FixedZone("KST", 9*60*60) }
