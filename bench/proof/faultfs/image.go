package faultfs

import (
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// sector is what a disk writes whole or not at all, in bytes.
const sector = 512

// Recording is everything that was done to a disk until its power was cut.
type Recording struct {
	base *state
	ops  []op
}

// Len is how many operations it has.
func (r *Recording) Len() int { return len(r.ops) }

// Entry is a line of the recording's story.
type Entry struct {
	At    int // the operation
	Fault bool
	Text  string // what was acknowledged, or "file: error"
}

// Until is the recording up to an operation.
func (r *Recording) Until(at int) *Recording { return &Recording{base: r.base, ops: r.ops[:at]} }

// Story is what was acknowledged and what failed, in sequence.
func (r *Recording) Story() []Entry {
	var list []Entry
	for i, o := range r.ops {
		if o.kind == opAck || o.kind == opFault {
			list = append(list, Entry{At: i, Fault: o.kind == opFault, Text: o.text})
		}
	}
	return list
}

// SyncedAgain names the files of which another sync was asked for after one had failed.
func (r *Recording) SyncedAgain() []string {
	lost := map[uint64]bool{}
	var names []string
	for _, o := range r.ops {
		if (o.kind == opSync || o.kind == opLose) && lost[o.id] {
			names = append(names, o.name)
		}
		if o.kind == opLose {
			lost[o.id] = true
		}
	}
	return names
}

// state is what is durable, and what was done since and may be lost.
type state struct {
	files   map[uint64]*file
	folders map[uint64]map[string]uint64
	names   []op // what was done to names and is not durable, in sequence
	acks    []string
}

// file is a file's content.
type file struct {
	mode    uint32
	durable []byte
	pending []pending // in sequence
}

// pending is a write or a truncate that was not synced.
type pending struct {
	op
	index int
}

func newState() *state {
	return &state{files: map[uint64]*file{}, folders: map[uint64]map[string]uint64{}}
}

// apply takes one operation in.
func (s *state) apply(index int, o op) {
	switch o.kind {
	case opWrite, opTruncate:
		f := s.files[o.id]
		f.pending = append(f.pending, pending{o, index})
	case opSync, opLose:
		f := s.files[o.id]
		n := slices.IndexFunc(f.pending, func(p pending) bool { return p.index >= int(o.off) })
		if n < 0 {
			n = len(f.pending)
		}
		if o.kind == opSync {
			for _, p := range f.pending[:n] {
				f.durable = p.onto(f.durable)
			}
		}
		f.pending = slices.Clone(f.pending[n:])
	case opCreate:
		if o.mode&syscall.S_IFMT == syscall.S_IFDIR {
			s.folders[o.child] = map[string]uint64{}
		} else {
			s.files[o.child] = &file{mode: o.mode}
		}
		s.names = append(s.names, o)
	case opRemove, opRename:
		s.names = append(s.names, o)
	case opSyncDir:
		var left []op
		for _, n := range s.names {
			if n.id == o.id || n.kind == opRename && n.toID == o.id {
				n.name1(s.folders)
			} else {
				left = append(left, n)
			}
		}
		s.names = left
	case opAck:
		s.acks = append(s.acks, o.text)
	}
}

// onto does a write or a truncate to content.
func (o op) onto(b []byte) []byte {
	switch o.kind {
	case opTruncate:
		return resized(b, o.off)
	case opSizeOnly:
		return resized(b, max(int64(len(b)), o.off))
	}
	b = resized(b, max(int64(len(b)), o.off+int64(len(o.data))))
	copy(b[o.off:], o.data)
	return b
}

// name1 does one change of names.
func (o op) name1(folders map[uint64]map[string]uint64) {
	switch o.kind {
	case opCreate:
		folders[o.id][o.name] = o.child
	case opRemove:
		delete(folders[o.id], o.name)
	case opRename:
		if folders[o.id][o.name] == o.child {
			delete(folders[o.id], o.name)
		}
		folders[o.toID][o.toName] = o.child
	}
}

// Image is what a power cut left.
type Image struct {
	files   map[uint64][]byte
	modes   map[uint64]uint32
	folders map[uint64]map[string]uint64
	Acks    []string // acknowledged before the cut, each as it was written
	At      int      // the operation before which the power went
	How     string   // what became of what was not synced
}

// Images gives n images of cuts at chosen places, in the sequence of the places.
func (r *Recording) Images(rnd *rand.Rand, n int, each func(Image) error) error {
	at := make([]int, n)
	for i := range at {
		at[i] = rnd.IntN(len(r.ops) + 1)
	}
	slices.Sort(at)
	s := r.base.clone()
	done := 0
	for _, to := range at {
		for ; done < to; done++ {
			s.apply(done, r.ops[done])
		}
		img := s.image(rnd)
		img.At = to
		if err := each(img); err != nil {
			return err
		}
	}
	return nil
}

// End gives the image of a cut after the last operation where how says what becomes of what was not synced: "nothing"
// of it is left, or "all".
func (r *Recording) End(how string) Image {
	s := r.base.clone()
	for i, o := range r.ops {
		s.apply(i, o)
	}
	img := s.imageBy(how, rand.New(rand.NewPCG(0, 0)))
	img.At = len(r.ops)
	return img
}

func (s *state) clone() *state {
	c := newState()
	for id, f := range s.files {
		c.files[id] = &file{mode: f.mode, durable: slices.Clone(f.durable), pending: slices.Clone(f.pending)}
	}
	for id, names := range s.folders {
		c.folders[id] = maps.Clone(names)
	}
	c.names, c.acks = slices.Clone(s.names), slices.Clone(s.acks)
	return c
}

// ways are what may become of what was not synced.
var ways = []string{"nothing", "all", "prefix", "subset", "subset", "torn", "torn", "reordered", "lengths"}

func (s *state) image(rnd *rand.Rand) Image {
	return s.imageBy(ways[rnd.IntN(len(ways))], rnd)
}

func (s *state) imageBy(how string, rnd *rand.Rand) Image {
	img := Image{files: map[uint64][]byte{}, modes: map[uint64]uint32{}, folders: map[uint64]map[string]uint64{}, Acks: s.acks[:len(s.acks):len(s.acks)], How: how}
	for id, names := range s.folders {
		img.folders[id] = maps.Clone(names)
	}
	for _, o := range survivors(s.names, how, rnd) {
		o.name1(img.folders)
	}
	for _, id := range slices.Sorted(maps.Keys(s.files)) {
		f := s.files[id]
		img.modes[id] = f.mode
		b := f.durable[:len(f.durable):len(f.durable)]
		if len(f.pending) > 0 {
			b = slices.Clone(f.durable)
		}
		ops := make([]op, len(f.pending))
		for i, p := range f.pending {
			ops[i] = p.op
		}
		for _, o := range survivors(ops, how, rnd) {
			b = o.onto(b)
		}
		img.files[id] = b
	}
	return img
}

// survivors are the operations of which something is left, and what is left of them.
func survivors(ops []op, how string, rnd *rand.Rand) []op {
	if len(ops) == 0 {
		return nil
	}
	keep := rnd.Float64()
	var left []op
	switch how {
	case "nothing":
		return nil
	case "all":
		return ops
	case "prefix": // and the last of them torn
		n := rnd.IntN(len(ops) + 1)
		left = slices.Clone(ops[:n])
		if n < len(ops) {
			left = append(left, tear(ops[n], 0.5, rnd)...)
		}
		return left
	}
	for _, o := range ops {
		lives := rnd.Float64() < keep
		switch {
		case how == "torn":
			left = append(left, tear(o, keep, rnd)...)
		case lives:
			left = append(left, o)
		case how == "lengths" && o.kind == opWrite:
			left = append(left, op{kind: opSizeOnly, id: o.id, off: o.off + int64(len(o.data))})
		}
	}
	if how == "reordered" && left != nil && (left[0].kind == opWrite || left[0].kind == opTruncate) {
		rnd.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
	}
	return left
}

// tear leaves some of a write's sectors. What is no write lives or does not.
func tear(o op, keep float64, rnd *rand.Rand) []op {
	if o.kind != opWrite {
		if rnd.Float64() < keep {
			return []op{o}
		}
		return nil
	}
	var left []op
	for from := int64(0); from < int64(len(o.data)); {
		to := min((o.off+from)/sector*sector+sector-o.off, int64(len(o.data)))
		if rnd.Float64() < keep {
			left = append(left, op{kind: opWrite, id: o.id, off: o.off + from, data: o.data[from:to]})
		}
		from = to
	}
	return left
}

// Write lays the image's files into an empty folder.
func (img Image) Write(folder string) error { return img.write(rootID, folder) }

func (img Image) write(id uint64, folder string) error {
	var errs []error
	for name, child := range img.folders[id] {
		path := filepath.Join(folder, name)
		if _, ok := img.folders[child]; ok {
			errs = append(errs, os.Mkdir(path, 0o700), img.write(child, path))
			continue
		}
		if mode := img.modes[child]; mode&syscall.S_IFMT == syscall.S_IFREG {
			errs = append(errs, os.WriteFile(path, img.files[child], fs.FileMode(mode&0o777)))
		}
	}
	return errors.Join(errs...)
}
