package smartro

import (
	"fmt"
	"strconv"
)

// CardCompanyName is the Korean name of an issuer or acquirer (codes §3). Codes may be padded: "06", "006" and "6"
// are one. A name that came with a message is better than this one.
func CardCompanyName(code string) (string, bool) {
	n, err := strconv.Atoi(code)
	if err != nil {
		return "", false
	}
	name, ok := map[int]string{
		1: "비씨", 2: "국민", 3: "외환", 4: "삼성", 6: "신한", 7: "현대", 8: "롯데", 11: "씨티", 12: "농협", 13: "수협", 14: "신협",
		15: "우리", 16: "하나", 21: "광주", 22: "전북", 23: "제주", 24: "산은", 25: "해외비자", 26: "해외마스터", 27: "해외다이너스",
		28: "해외AMX", 29: "해외JCB", 32: "우체국체크", 33: "MG새마을체크", 34: "KDB산업은행", 35: "중국UnionPay", 36: "해외DISCOVER",
		37: "카카오", 38: "교보증권체크", 39: "유진투자증권체크", 40: "KB증권체크", 41: "IBK", 42: "저축은행", 43: "K뱅크",
		44: "SK증권체크", 45: "NH투자증권체크", 46: "카카오페이", 47: "SC은행", 48: "부산은행", 49: "경남은행", 50: "대구은행",
		51: "미래에셋대우", 52: "유안타증권", 53: "DB금융투자", 54: "코나아이", 55: "토스", 56: "농협계좌", 57: "산림조합중앙회",
		58: "한국투자증권", 60: "해외 미르카드", 61: "섹타나인", 72: "WeChat", 73: "Alipay", 74: "Wibee",
	}[n]
	return name, ok
}

// Acquirer is the two digits of the company that claims an issuer's sales (codes §3). ok is false for an issuer
// that the table does not know, or knows without its acquirer.
func Acquirer(issuer string) (code string, ok bool) {
	if _, known := CardCompanyName(issuer); !known {
		return "", false
	}
	switch n, _ := strconv.Atoi(issuer); n {
	case 36, 56, 57, 60, 61, 72, 73, 74:
		return "", false
	case 2, 22, 37:
		return "02", true
	case 3, 24, 25, 26, 29:
		return "03", true
	case 4, 28:
		return "04", true
	case 7, 27:
		return "07", true
	case 6, 8, 12, 15, 16:
		return fmt.Sprintf("%02d", n), true
	}
	return "01", true
}

// BankName is the Korean name of a bank by its three digits (codes §4).
func BankName(code string) (string, bool) {
	name, ok := map[string]string{
		"002": "산업은행", "003": "기업은행", "004": "국민은행", "005": "외환은행", "007": "수협은행", "011": "농협은행", "012": "지역농축협",
		"020": "우리은행", "023": "SC제일은행", "027": "한국씨티은행", "031": "iM뱅크(대구)", "032": "부산은행", "034": "광주은행", "035": "제주은행",
		"037": "전북은행", "039": "경남은행", "045": "새마을금고", "048": "신협", "050": "저축은행", "064": "산림조합", "071": "우체국",
		"081": "하나은행", "088": "신한은행", "089": "케이뱅크", "090": "카카오뱅크", "092": "토스뱅크",
	}[code]
	return name, ok
}

// Banks lists the banks of today, those of [BankName] without 005, which became 081, in the order that people
// look for them.
func Banks() []string {
	return []string{
		"004", "088", "020", "081", "011", "003", "090", "092", "089", "023", "045", "048", "071", "031", "032", "039", "034", "037", "035",
		"007", "012", "002", "027", "050", "064",
	}
}

// ResultText explains a result code of codes §1 in Korean; those of the newer module and of single shops, too. An unknown code is shown as it came.
func ResultText(code string) (string, bool) {
	text, ok := map[string]string{
		"3001": "카드 승인", "4000": "계좌이체 완료", "4100": "가상계좌 발급", "4110": "가상계좌 입금", "A000": "휴대폰 결제 완료", "B000": "상품권 결제 완료",
		"7001": "현금영수증 발급", "2001": "취소 완료", "2211": "환불 완료", "2013": "이미 취소된 거래", "2015": "이미 취소되어 취소 실패",
		"0000": "정상 처리", "H000": "해피머니 결제 완료", "T000": "티머니 결제 완료", "T001": "티머니 등록 완료", "BL00": "도서상품권 결제 완료",
		"KP00": "카카오페이 결제 완료", "NP00": "네이버페이 결제 완료", "PO00": "페이코 결제 완료", "TP00": "토스 결제 완료", "2100": "취소 완료 (옛 코드)",
		"9999": "시스템 오류", "W034": "사용자 취소", "U999": "사용자 취소",
	}[code]
	return text, ok
}
