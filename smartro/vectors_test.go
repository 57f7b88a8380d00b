package smartro_test

import (
	"crypto/md5" // the second implementation of the legacy form, against which the package's is held
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"testing"

	"gage/smartro"
)

// vector is what hashes are made of, as random as the protocol lets it be.
type vector struct {
	mid, tid, code, date, key, part string
	amount                          int64
}

func randomText(r *rand.Rand, n int, from string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = from[r.IntN(len(from))]
	}
	return string(b)
}

func randomVector(r *rand.Rand) vector {
	const digits, upper = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	const alnum = digits + upper + "abcdefghijklmnopqrstuvwxyz"
	mid := randomText(r, 10, alnum)
	return vector{
		mid: mid, tid: mid + randomText(r, 20, digits), code: randomText(r, 4, digits+upper), date: randomText(r, 14, digits),
		key: randomText(r, 86, alnum+"+/") + "==", part: []string{"0", "1", ""}[r.IntN(3)], amount: r.Int64N(1_000_000_000_000),
	}
}

// written says whether the hash is that of x, read from weblink §3 the other way round: decoded, the one form is the
// digest in small hex digits, the other its bytes.
func written(form smartro.HashForm, hash, x string) bool {
	got, err := base64.StdEncoding.Strict().DecodeString(hash)
	want := fmt.Sprintf("%x", md5.Sum([]byte(x)))
	if form == smartro.SHA256 {
		sum := sha256.Sum256([]byte(x))
		want = string(sum[:])
	}
	return err == nil && len(hash) == 44 && string(got) == want
}

// TestRandomVectors holds all hashes of the protocol against a second reading of weblink §3: a million vectors, a hundredth
// of them with -short. What signs is believed, and not with the next result code.
//
// proves S4
func TestRandomVectors(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n /= 100
	}
	r := rand.New(rand.NewPCG(4, 4))
	for i := range n {
		v, form := randomVector(r), []smartro.HashForm{smartro.MD5, smartro.SHA256}[i%2]
		key, tid, amount := smartro.Secret(v.key), smartro.TID(v.tid), fmt.Sprint(v.amount)
		sign := smartro.SignValue(form, tid, v.code, key)
		for name, c := range map[string][2]string{
			"EncryptData": {smartro.EncryptData(form, v.date, smartro.MID(v.mid), smartro.Won(v.amount), key), v.date + v.mid + amount + v.key},
			"SignValue":   {sign, v.tid[0:10] + v.code + v.tid[10:15] + v.key + v.tid[15:30]},
			"hashData":    {smartro.HashData(form, tid, key, smartro.Won(v.amount), v.part), v.tid + v.key + amount + v.part},
		} {
			if !written(form, c[0], c[1]) {
				t.Fatalf("%s of vector %d, %+v: %s", name, i, v, c[0])
			}
		}
		m := smartro.Merchant{MID: smartro.MID(v.mid), Key: key, Hash: form}
		notice := smartro.Notice{MID: m.MID, TID: tid, ResultCode: v.code, SignValue: sign}
		if err := notice.Verify(m); err != nil {
			t.Fatalf("vector %d, %+v: %v", i, v, err)
		}
		if notice.ResultCode = v.code[:3] + string(v.code[3]^1); notice.Verify(m) == nil {
			t.Fatalf("vector %d, %+v: another code is believed", i, v)
		}
	}
}
