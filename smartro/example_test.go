package smartro_test

import (
	"fmt"
	"log"

	"gage/smartro"
)

// A page posts form.Fields to form.Action with accept-charset form.Charset.Label().
func ExampleMerchant_PayForm() {
	form, err := merchant().PayForm(smartro.PayRequest{
		Device: smartro.PC, Method: smartro.Card, Moid: "A20261123001", Amt: 11000, GoodsName: "홍차 — 2인분", GoodsCnt: 1,
		BuyerName: "홍길동", BuyerTel: "010-1234-5678", BuyerEmail: "buyer@example.com",
		ReturnURL: "https://shop.example.com/return", MallIP: "192.0.2.10", EdiDate: at(),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(form.Action, form.Charset.Label())
	fmt.Println(form.Get("GoodsName"), form.Get("ediDate"), form.Notes)
	// Output:
	// https://tpay.smilepay.co.kr/interfaceURL.jsp EUC-KR
	// 홍차 - 2인분 20261123100000 [{GoodsName replaced —}]
}

// A verified notice proves its TID and code; the amount is still to be compared with the order's.
func ExampleParseNotice() {
	raw := smartro.EncodeForm(message(false), smartro.EUCKR)
	n, err := smartro.ParseNotice(raw, smartro.EUCKR)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(n.Verify(merchant()), n.Kind(merchant()), n.Moid, n.Amt, n.BuyerName)
	// Output:
	// <nil> approved A20261123001 11000 홍창호
}
