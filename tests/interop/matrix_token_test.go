// SPDX-License-Identifier: BSD-3-Clause

package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A token that says who the client is, checked as a stranger checks it: with nothing but the URL of its issuer.
func (m *matrix) idToken(t *testing.T, n *matrixNode) {
	if n.boxed {
		t.Skip("clients ask for tokens inside Noise only")
	}
	t.Setenv("TAILSCALE_USE_WIP_CODE", "1") // without it there is no such command
	text, err := n.cli(20*time.Second, "id-token", "matrix")
	if err != nil {
		t.Fatal(err)
	}
	claims, err := verifyToken(strings.TrimSpace(text), m.server.URL)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	status, err := n.status()
	if err != nil {
		t.Fatal(err)
	}
	full := strings.TrimSuffix(status.Self.DNSName, ".")
	now := float64(time.Now().Unix())
	if claims["aud"] != "matrix" || strings.TrimSuffix(fmt.Sprint(claims["sub"]), ".") != full || claims["exp"].(float64) <= now {
		t.Fatalf("the token of %s says %v", full, claims)
	}
}

func verifyToken(token, issuer string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, fmt.Errorf("no token")
	}
	var raw [3][]byte
	for i, part := range parts {
		var err error
		if raw[i], err = base64.RawURLEncoding.DecodeString(part); err != nil {
			return nil, err
		}
	}
	var header struct{ Alg, Kid string }
	var claims map[string]any
	if err := json.Unmarshal(raw[0], &header); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw[1], &claims); err != nil {
		return nil, err
	}
	if claims["iss"] != issuer {
		return nil, fmt.Errorf("the issuer is %v, not %s", claims["iss"], issuer)
	}
	var discovery struct {
		Issuer string
		KeySet string `json:"jwks_uri"`
	}
	if err := fetchJSON(issuer+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct{ Kid, Kty, Crv, X, Y string }
	}
	if err := fetchJSON(discovery.KeySet, &set); err != nil {
		return nil, err
	}
	for _, key := range set.Keys {
		if key.Kid != header.Kid || header.Alg != "ES256" || key.Kty != "EC" || key.Crv != "P-256" || len(raw[2]) != 64 {
			continue
		}
		number := func(text string) *big.Int {
			bytes, _ := base64.RawURLEncoding.DecodeString(text)
			return new(big.Int).SetBytes(bytes)
		}
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: number(key.X), Y: number(key.Y)}
		digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		if ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(raw[2][:32]), new(big.Int).SetBytes(raw[2][32:])) {
			return claims, nil
		}
		return nil, fmt.Errorf("the signature is wrong")
	}
	return nil, fmt.Errorf("no key of %v made a token with %+v", set.Keys, header)
}

func fetchJSON(url string, value any) error {
	answer, err := http.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(value)
}
