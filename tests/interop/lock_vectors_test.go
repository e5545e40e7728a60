// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"crypto/ed25519"

	"github.com/fxamacker/cbor/v2"
	"tailscale.com/tka"
	"tailscale.com/types/key"
	"tailscale.com/types/tkatype"

	"go4.org/mem"
)

// The vectors of the tailnet lock, made by the official package from fixed keys: the file must be what this
// release makes, byte for byte, and TS2021_UPDATE_GOLDEN=1 writes it. unit.lock reads it.
const lockVectors = "../vectors/lock/lock-vectors.json"

type hexBytes []byte

func (b hexBytes) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(b)), nil }

type lockUpdate struct {
	Kind        string   `json:"kind"`
	AUM         hexBytes `json:"aum"`
	Hash        string   `json:"hash"`
	SigningHash hexBytes `json:"signing_hash"`
}

type lockKey struct {
	ID    hexBytes          `json:"id"`
	Votes uint              `json:"votes"`
	Meta  map[string]string `json:"meta"`
}

// What an authority is after some updates; forks included.
type lockChain struct {
	Name      string       `json:"name"`
	Updates   []lockUpdate `json:"updates"`
	Head      string       `json:"head"`
	Ancestors []string     `json:"ancestors"`
	Keys      []lockKey    `json:"keys"`
	StateIDs  [2]uint64    `json:"state_ids"`
	Syncs     []lockSync   `json:"syncs"`
}

// What the chain's owner sends to somebody who offers this; no updates and Unknown: they have nothing in common.
type lockSync struct {
	Head      string   `json:"head"`
	Ancestors []string `json:"ancestors"`
	Missing   []string `json:"missing"`
	Unknown   bool     `json:"unknown"`
}

// An update offered to the chain "linear" as it ends, or a genesis where there is no chain.
type lockOffered struct {
	Name      string   `json:"name"`
	Genesis   bool     `json:"genesis"`
	AUM       hexBytes `json:"aum"`
	Accepted  bool     `json:"accepted"`
	Canonical bool     `json:"canonical"`
	Why       string   `json:"why,omitempty"`
}

type lockSignature struct {
	Name        string   `json:"name"`
	Node        string   `json:"node"`
	Signature   hexBytes `json:"signature"`
	SigningHash hexBytes `json:"signing_hash,omitempty"`
	Authorizing hexBytes `json:"authorizing,omitempty"`
	Accepted    bool     `json:"accepted"`
	Canonical   bool     `json:"canonical"`
	Why         string   `json:"why,omitempty"`
}

type lockFile struct {
	MadeBy      string            `json:"made_by"`
	Keys        map[string]string `json:"keys"`
	Disablement []struct {
		Secret hexBytes `json:"secret"`
		Value  hexBytes `json:"value"`
	} `json:"disablement"`
	Chains     []lockChain     `json:"chains"`
	Offered    []lockOffered   `json:"offered"`
	Signatures []lockSignature `json:"signatures"`
}

func lockSecret(name string) key.NLPrivate {
	seed := sha256.Sum256([]byte("tailnet lock vectors: " + name))
	var out key.NLPrivate
	if err := out.UnmarshalText([]byte("nlpriv:" + hex.EncodeToString(ed25519.NewKeyFromSeed(seed[:])))); err != nil {
		panic(err)
	}
	return out
}

func lockNode(name string) key.NodePublic {
	raw := sha256.Sum256([]byte("node: " + name))
	return key.NodePublicFromRaw32(mem.B(raw[:]))
}

func trusted(secret key.NLPrivate, votes uint, meta map[string]string) tka.Key {
	return tka.Key{Kind: tka.Key25519, Public: secret.Public().Verifier(), Votes: votes, Meta: meta}
}

func describe(a tka.AUM) lockUpdate {
	signing := a.SigHash()
	return lockUpdate{a.MessageKind.String(), hexBytes(a.Serialize()), a.Hash().String(), signing[:]}
}

// A chain that grows by what `change` does.
type lockBuilder struct {
	t         *testing.T
	authority *tka.Authority
	storage   *tka.Mem
	updates   []tka.AUM
}

func newLock(t *testing.T, state tka.State, by key.NLPrivate) *lockBuilder {
	storage := tka.ChonkMem()
	authority, genesis, err := tka.Create(storage, state, by)
	if err != nil {
		t.Fatal(err)
	}
	return &lockBuilder{t, authority, storage, []tka.AUM{genesis}}
}

func (b *lockBuilder) change(by key.NLPrivate, make func(*tka.UpdateBuilder) error) []tka.AUM {
	b.t.Helper()
	updater := b.authority.NewUpdater(by)
	if err := make(updater); err != nil {
		b.t.Fatal(err)
	}
	updates, err := updater.Finalize(b.storage)
	if err != nil {
		b.t.Fatal(err)
	}
	b.take(updates...)
	return updates
}

func (b *lockBuilder) take(updates ...tka.AUM) {
	b.t.Helper()
	if err := b.authority.Inform(b.storage, updates); err != nil {
		b.t.Fatal(err)
	}
	b.updates = append(b.updates, updates...)
}

func (b *lockBuilder) chain(name string, offers ...tka.SyncOffer) lockChain {
	b.t.Helper()
	offer, err := b.authority.SyncOffer(b.storage)
	if err != nil {
		b.t.Fatal(err)
	}
	out := lockChain{Name: name, Head: offer.Head.String()}
	for _, update := range b.updates {
		out.Updates = append(out.Updates, describe(update))
	}
	for _, ancestor := range offer.Ancestors {
		out.Ancestors = append(out.Ancestors, ancestor.String())
	}
	for _, k := range b.authority.Keys() {
		out.Keys = append(out.Keys, lockKey{k.Public, k.Votes, k.Meta})
	}
	out.StateIDs[0], out.StateIDs[1] = b.authority.StateIDs()
	for _, other := range offers {
		sync := lockSync{Head: other.Head.String()}
		for _, ancestor := range other.Ancestors {
			sync.Ancestors = append(sync.Ancestors, ancestor.String())
		}
		missing, err := b.authority.MissingAUMs(b.storage, other)
		sync.Unknown = err != nil
		for _, update := range missing {
			sync.Missing = append(sync.Missing, update.Hash().String())
		}
		out.Syncs = append(out.Syncs, sync)
	}
	return out
}

func signed(a tka.AUM, by ...key.NLPrivate) tka.AUM {
	a.Signatures = nil
	for _, secret := range by {
		made, err := secret.SignAUM(a.SigHash())
		if err != nil {
			panic(err)
		}
		a.Signatures = append(a.Signatures, made...)
	}
	return a
}

func (b *lockBuilder) offered(name string, raw []byte) lockOffered {
	out := lockOffered{Name: name, AUM: raw}
	var update tka.AUM
	if err := update.Unserialize(raw); err != nil {
		out.Why = err.Error()
		return out
	}
	out.Canonical = bytes.Equal(update.Serialize(), raw)
	storage := tka.ChonkMem()
	authority, err := tka.Bootstrap(storage, b.updates[0])
	if err == nil {
		err = authority.Inform(storage, b.updates[1:])
	}
	if err != nil {
		b.t.Fatal(err)
	}
	err = authority.Inform(storage, []tka.AUM{update})
	if out.Accepted = err == nil; err != nil {
		out.Why = err.Error()
	}
	return out
}

func offeredGenesis(name string, raw []byte) lockOffered {
	out := lockOffered{Name: name, Genesis: true, AUM: raw}
	var update tka.AUM
	if err := update.Unserialize(raw); err != nil {
		out.Why = err.Error()
		return out
	}
	out.Canonical = bytes.Equal(update.Serialize(), raw)
	_, err := tka.Bootstrap(tka.ChonkMem(), update)
	if out.Accepted = err == nil; err != nil {
		out.Why = err.Error()
	}
	return out
}

func (b *lockBuilder) judged(name string, node key.NodePublic, raw []byte) lockSignature {
	out := lockSignature{Name: name, Node: node.String(), Signature: raw}
	err := b.authority.NodeKeyAuthorized(node, raw)
	if out.Accepted = err == nil; err != nil {
		out.Why = err.Error()
	}
	var decoded tka.NodeKeySignature
	if decoded.Unserialize(raw) == nil {
		out.Canonical = bytes.Equal(decoded.Serialize(), raw)
		digest := decoded.SigHash()
		out.SigningHash = digest[:]
		if id, err := decoded.UnverifiedAuthorizingKeyID(); err == nil {
			out.Authorizing = hexBytes(id)
		}
	}
	return out
}

func binary(node key.NodePublic) []byte {
	raw, err := node.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return raw
}

func signNKS(s tka.NodeKeySignature, by key.NLPrivate) tka.NodeKeySignature {
	made, err := by.SignNKS(s.SigHash())
	if err != nil {
		panic(err)
	}
	s.Signature = made
	return s
}

func makeLockFile(t *testing.T) lockFile {
	file := lockFile{MadeBy: "tailscale.com v1.98.1, package tka; fixed keys that open nothing else"}
	alice, bob, carol, mallory := lockSecret("alice"), lockSecret("bob"), lockSecret("carol"), lockSecret("mallory")
	file.Keys = map[string]string{}
	for name, secret := range map[string]key.NLPrivate{"alice": alice, "bob": bob, "carol": carol, "mallory": mallory} {
		text, _ := secret.MarshalText()
		file.Keys[name] = string(text)
	}
	for _, secret := range [][]byte{bytes.Repeat([]byte{0xa5}, 32), []byte("a secret of another size"), {}} {
		file.Disablement = append(file.Disablement, struct {
			Secret hexBytes `json:"secret"`
			Value  hexBytes `json:"value"`
		}{secret, tka.DisablementKDF(secret)})
	}
	state := tka.State{
		DisablementValues: [][]byte{tka.DisablementKDF(bytes.Repeat([]byte{0xa5}, 32)), bytes.Repeat([]byte{9}, 32)},
		Keys:              []tka.Key{trusted(alice, 2, map[string]string{"purpose": "vectors", "b": "2", "ä": "ü"}), trusted(bob, 1, nil)},
		StateID1:          0x1122334455667788, StateID2: 23,
	}

	// Every kind of update, each change once.
	linear := newLock(t, state, alice)
	linear.change(alice, func(u *tka.UpdateBuilder) error { return u.AddKey(trusted(carol, 1, nil)) })
	linear.change(carol, func(u *tka.UpdateBuilder) error { return u.SetKeyVote(carol.KeyID(), 4096) })
	linear.change(bob, func(u *tka.UpdateBuilder) error {
		return u.SetKeyMeta(bob.KeyID(), map[string]string{"name": "bob", "": "empty name"})
	})
	votes := uint(3)
	head := func() tka.PrevAUMHash { h := linear.authority.Head(); return h[:] }
	linear.take(signed(tka.AUM{MessageKind: tka.AUMUpdateKey, PrevAUMHash: head(), KeyID: alice.KeyID(), Votes: &votes, Meta: map[string]string{"k": "v"}}, alice, bob))
	linear.take(signed(tka.AUM{MessageKind: tka.AUMNoOp, PrevAUMHash: head()}, alice))
	linear.take(signed(tka.AUM{MessageKind: 200, PrevAUMHash: head()}, alice))
	linear.change(alice, func(u *tka.UpdateBuilder) error { return u.RemoveKey(carol.KeyID()) })
	genesisOffer := tka.SyncOffer{Head: linear.updates[0].Hash(), Ancestors: []tka.AUMHash{linear.updates[0].Hash()}}
	middleOffer := tka.SyncOffer{Head: linear.updates[3].Hash(), Ancestors: genesisOffer.Ancestors}
	aheadOffer := tka.SyncOffer{Head: tka.AUMHash{1}, Ancestors: []tka.AUMHash{{2}, linear.updates[5].Hash(), linear.updates[0].Hash()}}
	strangeOffer := tka.SyncOffer{Head: tka.AUMHash{1}, Ancestors: []tka.AUMHash{{2}}}
	upToDate := tka.SyncOffer{Head: linear.authority.Head(), Ancestors: genesisOffer.Ancestors}
	file.Chains = append(file.Chains, linear.chain("linear", genesisOffer, middleOffer, aheadOffer, strangeOffer, upToDate))

	// Long enough for two checkpoints and a sample of ancestors.
	long := newLock(t, tka.State{DisablementValues: state.DisablementValues, Keys: state.Keys, StateID1: 1}, bob)
	for i := range 70 {
		long.change(alice, func(u *tka.UpdateBuilder) error { return u.SetKeyVote(bob.KeyID(), uint(i%7+1)) })
	}
	file.Chains = append(file.Chains, long.chain("long",
		tka.SyncOffer{Head: tka.AUMHash{7}, Ancestors: []tka.AUMHash{long.updates[60].Hash()}},
		tka.SyncOffer{Head: long.updates[len(long.updates)-3].Hash()}))

	// Forks: by votes, by removal, by hash, and one that comes late and rewinds the chain.
	fork := func(name string, make func(parent tka.PrevAUMHash) []tka.AUM) {
		b := newLock(t, state, alice)
		genesis := b.updates[0].Hash()
		b.take(make(genesis[:])...)
		loser := tka.SyncOffer{Head: b.updates[len(b.updates)-1].Hash(), Ancestors: []tka.AUMHash{genesis}}
		first := tka.SyncOffer{Head: b.updates[1].Hash(), Ancestors: []tka.AUMHash{genesis}}
		file.Chains = append(file.Chains, b.chain(name, loser, first))
	}
	noOp := func(parent tka.PrevAUMHash, by ...key.NLPrivate) tka.AUM {
		return signed(tka.AUM{MessageKind: tka.AUMNoOp, PrevAUMHash: parent}, by...)
	}
	after := func(a tka.AUM) tka.PrevAUMHash { h := a.Hash(); return h[:] }
	fork("fork by votes", func(p tka.PrevAUMHash) []tka.AUM {
		light, heavy := noOp(p, bob), noOp(p, alice)
		return []tka.AUM{light, noOp(after(light), alice, bob), heavy}
	})
	fork("fork by votes, the heavy one first", func(p tka.PrevAUMHash) []tka.AUM {
		heavy, light := noOp(p, alice, bob), noOp(p, alice)
		return []tka.AUM{heavy, light, noOp(after(light), alice, bob)}
	})
	fork("fork by removal", func(p tka.PrevAUMHash) []tka.AUM {
		add := signed(tka.AUM{MessageKind: tka.AUMAddKey, PrevAUMHash: p, Key: ptr(trusted(carol, 1, nil))}, alice)
		remove := signed(tka.AUM{MessageKind: tka.AUMRemoveKey, PrevAUMHash: p, KeyID: bob.KeyID()}, alice)
		return []tka.AUM{add, noOp(after(add), bob), remove}
	})
	for i := range 4 {
		fork(fmt.Sprintf("fork by hash %d", i), func(p tka.PrevAUMHash) []tka.AUM {
			votes := uint(10 + i)
			one := signed(tka.AUM{MessageKind: tka.AUMUpdateKey, PrevAUMHash: p, KeyID: bob.KeyID(), Votes: &votes}, alice)
			other := signed(tka.AUM{MessageKind: tka.AUMAddKey, PrevAUMHash: p, Key: ptr(trusted(carol, uint(1+i), nil))}, alice)
			return []tka.AUM{one, noOp(after(one), alice), other}
		})
	}
	{
		b := newLock(t, state, alice)
		b.change(alice, func(u *tka.UpdateBuilder) error { return u.AddKey(trusted(carol, 1, nil)) })
		b.change(carol, func(u *tka.UpdateBuilder) error { return u.AddKey(trusted(mallory, 1, nil)) })
		b.change(mallory, func(u *tka.UpdateBuilder) error { return u.SetKeyVote(carol.KeyID(), 2) })
		revoke, err := b.authority.MakeRetroactiveRevocation(b.storage, []tkatype.KeyID{carol.KeyID(), mallory.KeyID()}, alice.KeyID(), tka.AUMHash{})
		if err != nil {
			t.Fatal(err)
		}
		b.take(signed(*revoke, alice, bob))
		file.Chains = append(file.Chains, b.chain("revoked after the fact"))
	}

	offer := func(name string, a tka.AUM) {
		file.Offered = append(file.Offered, linear.offered(name, a.Serialize()))
	}
	tip := head()
	good := signed(tka.AUM{MessageKind: tka.AUMAddKey, PrevAUMHash: tip, Key: ptr(trusted(carol, 1, nil))}, alice)
	offer("good", good)
	offer("unsigned", signed(good))
	offer("signed by a stranger", signed(good, mallory))
	offer("signed by a removed key", signed(good, carol))
	offer("one of two signatures by a stranger", signed(good, alice, mallory))
	offer("signed twice by the same", signed(good, alice, alice))
	broken := signed(good, alice)
	broken.Signatures[0].Signature = slices.Clone(broken.Signatures[0].Signature)
	broken.Signatures[0].Signature[10] ^= 1
	offer("broken signature", broken)
	short := signed(good, alice)
	short.Signatures[0].Signature = short.Signatures[0].Signature[:63]
	offer("short signature", short)
	shortID := signed(good, alice)
	shortID.Signatures[0].KeyID = shortID.Signatures[0].KeyID[:31]
	offer("short key id on a signature", shortID)
	with := func(name string, change func(*tka.AUM)) {
		a := good
		a.Signatures = nil
		change(&a)
		offer(name, signed(a, alice))
	}
	with("no parent", func(a *tka.AUM) { a.PrevAUMHash = nil })
	with("empty parent", func(a *tka.AUM) { a.PrevAUMHash = tka.PrevAUMHash{} })
	with("unknown parent", func(a *tka.AUM) { a.PrevAUMHash = bytes.Repeat([]byte{1}, 32) })
	with("short parent", func(a *tka.AUM) { a.PrevAUMHash = tip[:31] })
	with("long parent", func(a *tka.AUM) { a.PrevAUMHash = append(slices.Clone(tip), 0) })
	with("no key", func(a *tka.AUM) { a.Key = nil })
	with("key of no kind", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 1, nil)); a.Key.Kind = 0 })
	with("key of kind 2", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 1, nil)); a.Key.Kind = 2 })
	with("key without votes", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 0, nil)) })
	with("key with 4096 votes", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 4096, nil)) })
	with("key with 4097 votes", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 4097, nil)) })
	with("512 bytes of meta", func(a *tka.AUM) {
		a.Key = ptr(trusted(carol, 1, map[string]string{"a": string(bytes.Repeat([]byte("x"), 511))}))
	})
	with("513 bytes of meta", func(a *tka.AUM) {
		a.Key = ptr(trusted(carol, 1, map[string]string{"a": string(bytes.Repeat([]byte("x"), 512))}))
	})
	with("meta that is no UTF-8", func(a *tka.AUM) { a.Key = ptr(trusted(carol, 1, map[string]string{"a": "\xff"})) })
	with("key of 3 bytes", func(a *tka.AUM) { a.Key = &tka.Key{Kind: tka.Key25519, Votes: 1, Public: []byte{1, 2, 3}} })
	with("key that is trusted already", func(a *tka.AUM) { a.Key = ptr(trusted(bob, 1, nil)) })
	with("add-key with a key id", func(a *tka.AUM) { a.KeyID = bob.KeyID() })
	with("add-key with votes", func(a *tka.AUM) { a.Votes = &votes })
	with("add-key with meta", func(a *tka.AUM) { a.Meta = map[string]string{"a": "b"} })
	with("add-key with a state", func(a *tka.AUM) { a.State = &state })
	with("kind 0", func(a *tka.AUM) { a.MessageKind = 0 })
	with("remove-key", func(a *tka.AUM) { *a = tka.AUM{MessageKind: tka.AUMRemoveKey, PrevAUMHash: tip, KeyID: bob.KeyID()} })
	with("remove-key of nobody", func(a *tka.AUM) {
		*a = tka.AUM{MessageKind: tka.AUMRemoveKey, PrevAUMHash: tip, KeyID: mallory.KeyID()}
	})
	with("remove-key without key id", func(a *tka.AUM) { *a = tka.AUM{MessageKind: tka.AUMRemoveKey, PrevAUMHash: tip} })
	with("remove-key with a key", func(a *tka.AUM) { a.MessageKind = tka.AUMRemoveKey; a.KeyID = bob.KeyID() })
	update := func(name string, votes *uint, meta map[string]string, change func(*tka.AUM)) {
		with(name, func(a *tka.AUM) {
			*a = tka.AUM{MessageKind: tka.AUMUpdateKey, PrevAUMHash: tip, KeyID: bob.KeyID(), Votes: votes, Meta: meta}
			change(a)
		})
	}
	asIs := func(*tka.AUM) {}
	zero, many := uint(0), uint(4097)
	update("update-key", &votes, nil, asIs)
	update("update-key without change", nil, nil, asIs)
	update("update-key to no votes", &zero, nil, asIs)
	update("update-key to too many votes", &many, nil, asIs)
	update("update-key to too much meta", nil, map[string]string{"a": string(bytes.Repeat([]byte("x"), 512))}, asIs)
	update("update-key of nobody", &votes, nil, func(a *tka.AUM) { a.KeyID = mallory.KeyID() })
	update("update-key without key id", &votes, nil, func(a *tka.AUM) { a.KeyID = nil })
	update("update-key with a key", &votes, nil, func(a *tka.AUM) { a.Key = ptr(trusted(carol, 1, nil)) })
	checkpoint := func(name string, change func(*tka.State)) {
		with(name, func(a *tka.AUM) {
			s := state.Clone()
			change(&s)
			*a = tka.AUM{MessageKind: tka.AUMCheckpoint, PrevAUMHash: tip, State: &s}
		})
	}
	checkpoint("checkpoint", func(*tka.State) {})
	checkpoint("checkpoint with another id 1", func(s *tka.State) { s.StateID1++ })
	checkpoint("checkpoint with another id 2", func(s *tka.State) { s.StateID2 = 0 })
	checkpoint("checkpoint without keys", func(s *tka.State) { s.Keys = nil })
	checkpoint("checkpoint with a key twice", func(s *tka.State) { s.Keys = append(s.Keys, s.Keys[0]) })
	checkpoint("checkpoint with a bad key", func(s *tka.State) { s.Keys[0].Votes = 0 })
	checkpoint("checkpoint without disablement", func(s *tka.State) { s.DisablementValues = nil })
	checkpoint("checkpoint with a disablement twice", func(s *tka.State) {
		s.DisablementValues = append(s.DisablementValues, s.DisablementValues[0])
	})
	checkpoint("checkpoint with a short disablement", func(s *tka.State) { s.DisablementValues[0] = s.DisablementValues[0][:31] })
	disablements := func(n int) func(*tka.State) {
		return func(s *tka.State) {
			s.DisablementValues = nil
			for i := range n {
				s.DisablementValues = append(s.DisablementValues, bytes.Repeat([]byte{byte(i)}, 32))
			}
		}
	}
	checkpoint("checkpoint with 32 disablements", disablements(32))
	checkpoint("checkpoint with 33 disablements", disablements(33))
	checkpoint("checkpoint with a last hash", func(s *tka.State) { h := linear.authority.Head(); s.LastAUMHash = &h })
	with("checkpoint with a key id", func(a *tka.AUM) {
		*a = tka.AUM{MessageKind: tka.AUMCheckpoint, PrevAUMHash: tip, State: &state, KeyID: bob.KeyID()}
	})
	with("checkpoint without state", func(a *tka.AUM) { *a = tka.AUM{MessageKind: tka.AUMCheckpoint, PrevAUMHash: tip} })

	// Other spellings of the good one. What the official code reads it hashes in its canonical form.
	raw := good.Serialize()
	spelling := func(name string, raw []byte) { file.Offered = append(file.Offered, linear.offered(name, raw)) }
	replace := func(old, new []byte) []byte {
		if bytes.Count(raw, old) != 1 {
			t.Fatalf("%x stands %d times in %x", old, bytes.Count(raw, old), raw)
		}
		return bytes.Replace(raw, old, new, 1)
	}
	spelling("a byte behind it", append(slices.Clone(raw), 0))
	spelling("cut", raw[:len(raw)-1])
	spelling("empty", nil)
	spelling("kind in two bytes", replace([]byte{0xa4, 1, 1, 2, 0x58, 0x20}, []byte{0xa4, 1, 0x18, 1, 2, 0x58, 0x20}))
	spelling("kind 257", replace([]byte{0xa4, 1, 1, 2, 0x58, 0x20}, []byte{0xa4, 1, 0x19, 1, 1, 2, 0x58, 0x20}))
	spelling("parent's size in two bytes", replace([]byte{0xa4, 1, 1, 2, 0x58, 0x20}, []byte{0xa4, 1, 1, 2, 0x59, 0, 0x20}))
	spelling("map without size", append(append([]byte{0xbf}, raw[1:]...), 0xff))
	spelling("tagged", append([]byte{0xc1}, raw...))
	spelling("an unknown member", append(append([]byte{raw[0] + 1}, raw[1:]...), 0x18, 24, 0))
	spelling("an unknown member with a text name", append(append([]byte{raw[0] + 1}, raw[1:]...), 0x61, 'x', 0))
	spelling("kind twice", replace([]byte{0xa4, 1, 1, 2, 0x58, 0x20}, []byte{0xa5, 1, 1, 1, 1, 2, 0x58, 0x20}))
	spelling("an explicit null", append(append([]byte{raw[0] + 1}, raw[1:]...), 7, 0xf6))
	spelling("a list", []byte{0x84, 1, 2, 3, 4})
	var loose map[int]cbor.RawMessage
	if err := cbor.Unmarshal(raw, &loose); err != nil {
		t.Fatal(err)
	}
	reordered := []byte{0xa4}
	for _, name := range []int{2, 1, 3, 23} {
		reordered = append(append(reordered, byte(name)), loose[name]...)
	}
	spelling("members in another order", reordered)

	genesis := func(name string, change func(*tka.AUM), by ...key.NLPrivate) {
		s := state.Clone()
		a := tka.AUM{MessageKind: tka.AUMCheckpoint, State: &s}
		change(&a)
		made := signed(a, by...)
		file.Offered = append(file.Offered, offeredGenesis(name, made.Serialize()))
	}
	same := func(*tka.AUM) {}
	genesis("genesis", same, alice)
	genesis("genesis by two", same, bob, alice)
	genesis("genesis, unsigned", same)
	genesis("genesis by a stranger", same, mallory)
	genesis("genesis that only adds a key", func(a *tka.AUM) {
		*a = tka.AUM{MessageKind: tka.AUMAddKey, Key: ptr(trusted(alice, 1, nil))}
	}, alice)
	genesis("genesis with a parent", func(a *tka.AUM) { a.PrevAUMHash = tip }, alice)

	// Signatures of node keys, judged by the chain "linear" as it ends.
	node, next, third := lockNode("one"), lockNode("two"), lockNode("three")
	wrapping, other := lockSecret("wrapping"), lockSecret("other wrapping")
	judge := func(name string, node key.NodePublic, s tka.NodeKeySignature) {
		file.Signatures = append(file.Signatures, linear.judged(name, node, s.Serialize()))
	}
	plain := signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: alice.KeyID()}, alice)
	direct := signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: alice.KeyID(), WrappingPubkey: wrapping.Public().Verifier()}, alice)
	judge("direct", node, plain)
	judge("direct with a wrapping key", node, direct)
	judge("direct for another node", next, direct)
	judge("direct by a stranger", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: mallory.KeyID()}, mallory))
	judge("direct by a removed key", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: carol.KeyID()}, carol))
	judge("direct by another than it says", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: alice.KeyID()}, bob))
	judge("direct without key id", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node)}, alice))
	judge("direct without node", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, KeyID: alice.KeyID()}, alice))
	judge("direct, bare key without np", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node)[2:], KeyID: alice.KeyID()}, alice))
	judge("direct around another", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: alice.KeyID(), Nested: &plain}, alice))
	judge("kind 0", node, signNKS(tka.NodeKeySignature{Pubkey: binary(node), KeyID: alice.KeyID()}, alice))
	judge("kind 4", node, signNKS(tka.NodeKeySignature{SigKind: 4, Pubkey: binary(node), KeyID: alice.KeyID()}, alice))
	unsigned := plain
	unsigned.Signature = nil
	judge("unsigned", node, unsigned)

	rotated, err := tka.ResignNKS(wrapping, next, direct.Serialize())
	if err != nil {
		t.Fatal(err)
	}
	file.Signatures = append(file.Signatures, linear.judged("rotation", next, rotated))
	file.Signatures = append(file.Signatures, linear.judged("rotation, for the old node", node, rotated))
	twice, err := tka.ResignNKS(wrapping, third, rotated)
	if err != nil {
		t.Fatal(err)
	}
	file.Signatures = append(file.Signatures, linear.judged("rotation of a rotation", third, twice))
	judge("rotation by another key", next, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next), Nested: &direct}, other))
	judge("rotation of one without wrapping key", next, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next), Nested: &plain}, wrapping))
	judge("rotation of nothing", next, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next)}, wrapping))
	forged := direct
	forged.WrappingPubkey = other.Public().Verifier()
	judge("rotation of a changed direct one", next, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next), Nested: &forged}, other))
	renewed := signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next), Nested: &direct, WrappingPubkey: other.Public().Verifier()}, wrapping)
	judge("rotation that names another wrapping key", next, renewed)
	judge("rotation by the newer wrapping key", third, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(third), Nested: &renewed}, other))
	judge("rotation by the older wrapping key", third, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(third), Nested: &renewed}, wrapping))
	shortWrap := signNKS(tka.NodeKeySignature{SigKind: tka.SigDirect, Pubkey: binary(node), KeyID: alice.KeyID(), WrappingPubkey: []byte{1, 2, 3}}, alice)
	judge("rotation of one with a short wrapping key", next, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(next), Nested: &shortWrap}, wrapping))

	credential := signNKS(tka.NodeKeySignature{SigKind: tka.SigCredential, KeyID: alice.KeyID(), WrappingPubkey: wrapping.Public().Verifier()}, alice)
	judge("credential alone", node, credential)
	wrappingText, _ := wrapping.MarshalText()
	wrappingRaw, _ := hex.DecodeString(string(wrappingText[len("nlpriv:"):]))
	by, err := tka.SignByCredential(wrappingRaw, &credential, node)
	if err != nil {
		t.Fatal(err)
	}
	file.Signatures = append(file.Signatures, linear.judged("by credential", node, by))
	judge("by a credential of a stranger", node, signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(node),
		Nested: ptr(signNKS(tka.NodeKeySignature{SigKind: tka.SigCredential, KeyID: mallory.KeyID(), WrappingPubkey: wrapping.Public().Verifier()}, mallory))}, wrapping))

	deep := direct
	for i := 2; i <= 17; i++ {
		inner := deep
		node := lockNode(fmt.Sprintf("deep %d", i))
		deep = signNKS(tka.NodeKeySignature{SigKind: tka.SigRotation, Pubkey: binary(node), Nested: &inner}, wrapping)
		if i >= 15 {
			judge(fmt.Sprintf("%d signatures deep", i), node, deep)
		}
	}
	text := plain.Serialize()
	for name, raw := range map[string][]byte{
		"a byte behind it":      append(slices.Clone(text), 0),
		"cut":                   text[:len(text)-1],
		"an unknown member":     append(append([]byte{text[0] + 1}, text[1:]...), 7, 0),
		"kind in two bytes":     append([]byte{text[0], 1, 0x18, 1}, text[3:]...),
		"a null nested one":     append(append([]byte{text[0] + 1}, text[1:]...), 5, 0xf6),
		"an empty wrapping key": append(append([]byte{text[0] + 1}, text[1:]...), 6, 0x40),
	} {
		file.Signatures = append(file.Signatures, linear.judged(name, node, raw))
	}
	slices.SortStableFunc(file.Signatures, func(a, b lockSignature) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return file
}

func ptr[T any](value T) *T { return &value }

func TestLockVectors(t *testing.T) {
	made, err := json.MarshalIndent(makeLockFile(t), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	made = append(made, '\n')
	if os.Getenv("TS2021_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(lockVectors, made, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(lockVectors)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, made) {
		t.Errorf("%s is not what this release makes", lockVectors)
	}
}
