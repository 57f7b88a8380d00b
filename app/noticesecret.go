package app

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"slices"

	"gage/smartro"
)

const settingSecrets = "notice_secrets" // sealed

// noticeSecret is the unguessable part of a notification URL. Practice and real money have URLs of their own, so that who
// learned the one has learned nothing about the other.
type noticeSecret struct {
	Secret string
	Mode   Mode // empty: of both, as it was when there was one URL
}

// UnmarshalJSON reads a secret of the time when there was one URL, too.
func (n *noticeSecret) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &n.Secret)
	}
	type plain noticeSecret
	return json.Unmarshal(b, (*plain)(n))
}

func (n noticeSecret) serves(m Mode) bool { return n.Mode == m || n.Mode == "" }

// noticeSecrets are those that are valid now in a mode, the newest first. The first call makes one.
func (s *Shop) noticeSecrets(ctx context.Context, tx Tx, mode Mode) ([]noticeSecret, error) {
	var all []noticeSecret
	if err := s.readSealed(ctx, tx, settingSecrets, &all); err != nil {
		return nil, err
	}
	if list := ofMode(all, mode); len(list) > 0 {
		return list, nil
	}
	made := noticeSecret{newToken(), mode}
	return []noticeSecret{made}, s.writeSealed(ctx, tx, settingSecrets, append(all, made))
}

func ofMode(all []noticeSecret, mode Mode) []noticeSecret {
	return slices.DeleteFunc(slices.Clone(all), func(n noticeSecret) bool { return !n.serves(mode) })
}

// modeNow is the mode of new payments; practice before there is a contract.
func (s *Shop) modeNow(ctx context.Context, r Reader) (Mode, error) {
	m, err := s.merchant(ctx, r)
	if errors.Is(err, ErrNoGateway) {
		return smartro.Test, nil
	}
	return m.Mode, err
}

// NoticeURL is the address to type into the gateway's merchant site for the mode of new payments. It is shown to staff
// and goes nowhere else: who knows it can speak as the gateway's server, if he also knows the merchant key.
func (s *Shop) NoticeURL(ctx context.Context) (string, error) {
	mode, err := s.modeNow(ctx, s.Store)
	var all []noticeSecret
	if err := errors.Join(err, s.readSealed(ctx, s.Store, settingSecrets, &all)); err != nil {
		return "", err
	}
	list := ofMode(all, mode)
	if len(list) == 0 {
		err := s.Store.Update(ctx, func(tx Tx) (err error) {
			list, err = s.noticeSecrets(ctx, tx, mode)
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return s.PublicURL + "/smartro/notify/" + list[0].Secret, nil
}

// RotateNoticeSecret makes a new notification URL for the mode of new payments. The one before stays valid until the
// next rotation, so that nothing is lost while the merchant site is changed.
func (s *Shop) RotateNoticeSecret(ctx context.Context, actor Staff) error {
	if err := actor.must(RightChangeGateway); err != nil {
		return err
	}
	return s.Store.Update(ctx, func(tx Tx) error {
		mode, err := s.modeNow(ctx, tx)
		if err != nil {
			return err
		}
		list, err := s.noticeSecrets(ctx, tx, mode)
		if err != nil {
			return err
		}
		var all []noticeSecret
		if err := s.readSealed(ctx, tx, settingSecrets, &all); err != nil {
			return err
		}
		next := []noticeSecret{{newToken(), mode}, {list[0].Secret, mode}}
		for _, n := range all {
			switch {
			case n.Mode == "": // it stays what it was to the other mode
				next = append(next, noticeSecret{n.Secret, otherMode(mode)})
			case n.Mode != mode:
				next = append(next, n)
			}
		}
		return errors.Join(s.writeSealed(ctx, tx, settingSecrets, next), s.note(ctx, tx, actor, Access{Kind: ChangedNotice}))
	})
}

func otherMode(m Mode) Mode {
	if m == smartro.Real {
		return smartro.Test
	}
	return smartro.Real
}

// secretModes are the modes whose notification URL has the given secret; none: it is not ours. Every valid secret is
// compared, each in constant time.
func (s *Shop) secretModes(ctx context.Context, given string) (modes []Mode, err error) {
	if given == "" {
		return nil, nil
	}
	var all []noticeSecret
	if err := s.readSealed(ctx, s.Store, settingSecrets, &all); err != nil {
		return nil, err
	}
	for _, n := range all {
		if subtle.ConstantTimeCompare([]byte(n.Secret), []byte(given)) == 1 {
			modes = append(modes, n.Mode)
		}
	}
	return modes, nil
}

// NoticeSecretDigests are the SHA-256 of all secrets that the notification path has now, for who has to tell the
// gateway's requests from others before they are read.
func (s *Shop) NoticeSecretDigests(ctx context.Context) ([][sha256.Size]byte, error) {
	var list []noticeSecret
	if err := s.readSealed(ctx, s.Store, settingSecrets, &list); err != nil {
		return nil, err
	}
	digests := make([][sha256.Size]byte, len(list))
	for i, n := range list {
		digests[i] = sha256.Sum256([]byte(n.Secret))
	}
	return digests, nil
}
