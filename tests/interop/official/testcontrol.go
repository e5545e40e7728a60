// SPDX-License-Identifier: BSD-3-Clause

// Package testcontrol takes the place of the official package of this name: the same fields and methods, with ts2021d
// behind them, which is told of all by its admin API. The official tests run on it as they are.
package testcontrol

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"tailscale.com/syncs"
	"tailscale.com/tailcfg"
	"tailscale.com/tstest/integration/testcontrol/admin"
	"tailscale.com/types/key"
	"tailscale.com/types/logger"
	"tailscale.com/types/opt"
)

// Server is one ts2021d, started when it is first needed. Its fields are told before each connection and each call.
type Server struct {
	Logf               logger.Logf
	DERPMap            *tailcfg.DERPMap
	RequireAuth        bool
	RequireAuthKey     string
	RequireMachineAuth bool
	Verbose            bool
	DNSConfig          *tailcfg.DNSConfig
	MagicDNSDomain     string
	C2NResponses       syncs.Map[string, func(*http.Response)] // not used

	PeerRelayGrants         bool
	AllNodesSameUser        bool
	AllOnline               bool
	DefaultNodeCapabilities *tailcfg.NodeCapMap
	CollectServices         opt.Bool

	ExplicitBaseURL string
	HTTPTestServer  *httptest.Server

	MaybeRateLimitRegister func() (reject bool, retryAfter string, msg string)
	ModifyFirstMapResponse func(*tailcfg.MapResponse, *tailcfg.MapRequest)
	AltMapStream           AltMapStreamFunc

	mu           sync.Mutex
	client       *admin.Client     // null: not started
	address      string            // where ts2021d listens
	told         map[string]string // by path of the admin API: what was told last
	onMapRequest func(key.NodePublic)
	watching     bool // map requests
}

type AltMapStreamFunc func(ctx context.Context, w MapStreamWriter, req *tailcfg.MapRequest)
type MapStreamWriter interface {
	SendMapMessage(msg *tailcfg.MapResponse) error
}

func (s *Server) BaseURL() string {
	if url := s.baseURL(); url != "" {
		return url
	}
	panic("the server has no URL yet")
}

// Empty: none that we know, then nodes are given ts2021d's own.
func (s *Server) baseURL() string {
	if s.ExplicitBaseURL == "" && s.HTTPTestServer != nil {
		return s.HTTPTestServer.URL
	}
	return s.ExplicitBaseURL
}

// A connection goes on to ts2021d as it is.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.admin()
	to, err := net.Dial("tcp", s.address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	if r.Header.Get("Upgrade") == "" {
		r.Close = true // one request, or the next would not be told of
	}
	go func() {
		if r.Write(to) == nil {
			io.Copy(to, buffered)
		}
		to.Close()
	}()
	io.Copy(from, to)
}

// The API of a server that has been told of all fields.
func (s *Server) admin() *admin.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.start()
	}
	s.tell()
	// Requests that the server does not know end the tests, as there.
	if s.client.Stats().Unhandled > 0 {
		events, _ := s.client.Events("unhandled", 0, 0)
		panic(fmt.Sprintf("ts2021d received unhandled requests: %+v", events))
	}
	return s.client
}

func (s *Server) start() {
	cmd := exec.Command(os.Getenv("TS2021D"), "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--test-mode", "--json")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getenv("TS2021D_LOG") != "" {
		cmd.Stderr = os.Stderr
	}
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	var ready struct{ URL, Admin string }
	if err == nil {
		var line []byte
		if line, err = bufio.NewReader(stdout).ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &ready)
		}
	}
	if err != nil {
		panic(fmt.Sprintf("ts2021d (TS2021D=%q) does not start: %v", os.Getenv("TS2021D"), err))
	}
	at, err := url.Parse(ready.URL)
	if err != nil {
		panic(err)
	}
	s.address, s.told = at.Host, map[string]string{}
	// Some tests count what is left when they end.
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	s.client = &admin.Client{URL: ready.Admin, HTTP: once, Fail: func(err error) { panic(err) }}
}

// What has changed since it was last told.
func (s *Server) tell() {
	told := func(path, method string, value any) bool {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		if s.told[path] == string(text) {
			return false
		}
		s.told[path] = string(text)
		if method != "" {
			if _, err := s.client.Do(context.Background(), method, path, value, nil); err != nil {
				panic(err)
			}
		}
		return true
	}
	switches := map[string]any{
		"verbose": s.Verbose, "requireAuth": s.RequireAuth, "requireAuthKey": s.RequireAuthKey,
		"requireMachineAuth": s.RequireMachineAuth, "magicDNSDomain": s.MagicDNSDomain,
		"peerRelayGrants": s.PeerRelayGrants, "allNodesSameUser": s.AllNodesSameUser, "allOnline": s.AllOnline,
		"collectServices": nil, "baseURL": s.baseURL(),
	}
	if collect, set := s.CollectServices.Get(); set {
		switches["collectServices"] = collect
	}
	told("/admin/config", "PATCH", switches)
	told("/admin/derpmap", "PUT", s.DERPMap)
	told("/admin/default-caps", "PUT", s.DefaultNodeCapabilities)
	if s.DNSConfig != nil || s.told["/admin/dns"] != "" {
		told("/admin/dns", "PUT", s.DNSConfig)
	}
	if s.MaybeRateLimitRegister != nil && told("register", "", true) {
		s.decide("register", func(*admin.Held) admin.Decision {
			if reject, after, text := s.MaybeRateLimitRegister(); reject {
				return admin.Decision{Action: "reject", Status: 429, Headers: map[string]string{"Retry-After": after}, Body: text}
			}
			return admin.Continue
		})
	}
	if s.ModifyFirstMapResponse != nil && told("first-map", "", true) {
		s.decide("first-map", func(held *admin.Held) admin.Decision {
			request, response := new(tailcfg.MapRequest), new(tailcfg.MapResponse)
			if err := errors.Join(json.Unmarshal(held.Request, request), json.Unmarshal(held.Response, response)); err != nil {
				panic(err)
			}
			s.ModifyFirstMapResponse(response, request)
			return admin.Decision{Action: "replace", Response: response}
		})
	}
	if told("/admin/alt-map", "PUT", map[string]bool{"enabled": s.AltMapStream != nil}) && s.AltMapStream != nil {
		go s.serveStreams(s.client)
	}
}

// Each request that comes to the point is decided by `how`, one after the other.
func (s *Server) decide(on string, how func(*admin.Held) admin.Decision) {
	c := s.client
	hold := c.MakeHold(admin.Hold{On: on, Timeout: "1m"})
	go func() {
		for {
			if held := c.Next(hold, time.Minute); held != nil {
				c.Decide(hold, held.Call, how(held))
			}
		}
	}()
}

func (s *Server) serveStreams(c *admin.Client) {
	for last := 0; ; {
		for _, stream := range c.Streams(last, time.Minute) {
			last = stream.ID
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				defer cancel()
				for c.StreamOpen(stream.ID, time.Minute) {
				}
			}()
			go func() {
				s.AltMapStream(ctx, streamWriter{c, stream.ID}, &stream.Request)
				// It may have ended meanwhile.
				c.Do(context.Background(), "DELETE", fmt.Sprintf("/admin/alt-map/streams/%d", stream.ID), nil, nil)
			}()
		}
	}
}

type streamWriter struct {
	client *admin.Client
	id     int
}

func (w streamWriter) SendMapMessage(message *tailcfg.MapResponse) error {
	if !w.client.SendMessage(w.id, message) {
		return errors.New("the stream has ended")
	}
	return nil
}

func (s *Server) NumNodes() int                              { return s.admin().NumNodes() }
func (s *Server) AllNodes() []*tailcfg.Node                  { return s.admin().Nodes() }
func (s *Server) Node(node key.NodePublic) *tailcfg.Node     { return s.admin().Node(node) }
func (s *Server) UpdateNode(node *tailcfg.Node)              { s.admin().PutNode(node) }
func (s *Server) AddFakeNode()                               { s.admin().AddFakeNodes(1) }
func (s *Server) InServeMap() int                            { return s.admin().Stats().InServeMap }
func (s *Server) CompleteAuth(pathOrURL string) bool         { return s.admin().CompleteAuth(pathOrURL, "") }
func (s *Server) AddDNSRecords(records ...tailcfg.DNSRecord) { s.admin().AddDNSRecords(records...) }
func (s *Server) SetGlobalAppCaps(caps tailcfg.PeerCapMap)   { s.admin().SetAppCaps(caps) }
func (s *Server) SetJailed(a, b key.NodePublic, jailed bool) { s.admin().SetJailed(a, b, jailed) }
func (s *Server) SetExpireAllNodes(expired bool) {
	s.admin().Change(map[string]any{"expireAll": expired})
}
func (s *Server) SetNodeCapMap(node key.NodePublic, caps tailcfg.NodeCapMap) {
	s.admin().SetCapMap(node, caps)
}
func (s *Server) SetSubnetRoutes(node key.NodePublic, routes []netip.Prefix) {
	s.admin().SetRoutes(node, routes)
}

// MasqueradePair is an address of Node by which Peer knows it.
type MasqueradePair struct {
	Node              key.NodePublic
	Peer              key.NodePublic
	NodeMasqueradesAs netip.Addr
}

func (s *Server) SetMasqueradeAddresses(pairs []MasqueradePair) {
	all := []admin.Masquerade{}
	for _, pair := range pairs {
		all = append(all, admin.Masquerade{Node: pair.Node, Peer: pair.Peer, Address: pair.NodeMasqueradesAs.String()})
	}
	s.admin().SetMasquerades(all)
}

func (s *Server) AwaitNodeInMapRequest(ctx context.Context, node key.NodePublic) error {
	c := s.admin()
	for {
		err := c.AwaitPoll(node, 250*time.Millisecond)
		if admin.StatusOf(err) != http.StatusRequestTimeout {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *Server) CompleteDeviceApproval(_ string, page string, node *key.NodePublic) bool {
	c := s.admin()
	return c.Node(*node) != nil && c.Approve(*node, page)
}

func (s *Server) AddPingRequest(node key.NodePublic, request *tailcfg.PingRequest) bool {
	c := s.admin()
	return c.Node(node) != nil && c.Ping(node, request)
}

func (s *Server) AddRawMapResponse(node key.NodePublic, response *tailcfg.MapResponse) bool {
	c := s.admin()
	return c.Node(node) != nil && c.SendRawMap(node, response)
}

// MapResponse is nil for a node that is not known.
func (s *Server) MapResponse(request *tailcfg.MapRequest) (response *tailcfg.MapResponse, err error) {
	_, err = s.admin().Do(context.Background(), "POST", "/admin/map-preview", request, &response)
	if admin.StatusOf(err) == http.StatusNotFound {
		return nil, nil
	}
	return response, err
}

// SetOnMapRequest tells of every map request from now on.
func (s *Server) SetOnMapRequest(f func(key.NodePublic)) {
	c := s.admin()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onMapRequest = f
	if s.watching || f == nil {
		return
	}
	s.watching = true
	_, next := c.Events("map-request", -1, 0)
	go func() {
		for {
			var events []admin.Event
			events, next = c.Events("map-request", next, time.Minute)
			for _, event := range events {
				s.mu.Lock()
				f := s.onMapRequest
				s.mu.Unlock()
				var node key.NodePublic
				if f != nil && node.UnmarshalText([]byte(event.NodeKey)) == nil {
					f(node)
				}
			}
		}
	}()
}

// SendC2N fails at once where the node has no poll.
func (s *Server) SendC2N(node key.NodePublic, request *http.Request, onRes func(*http.Response)) error {
	c := s.admin()
	ask := admin.C2N{Method: request.Method, Path: request.URL.RequestURI(), Headers: request.Header.Clone()}
	if host := request.Host; host != "" {
		if ask.Headers == nil {
			ask.Headers = http.Header{}
		}
		ask.Headers.Set("Host", host)
	}
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return err
		}
		ask.Body = body
	}
	id, err := c.Begin(node, ask)
	if err != nil {
		return err
	}
	go func() {
		for {
			answer, err := c.Answer(id, time.Minute)
			if err != nil {
				return
			}
			if answer != nil {
				onRes(responseOf(answer))
				return
			}
		}
	}()
	return nil
}

func responseOf(answer *admin.C2NAnswer) *http.Response {
	recorder := httptest.NewRecorder()
	for name, values := range answer.Headers {
		recorder.Header()[name] = values
	}
	recorder.WriteHeader(answer.Status)
	recorder.Write(answer.Body)
	return recorder.Result()
}

type roundTripper struct {
	s    *Server
	node key.NodePublic
}

func (s *Server) NodeRoundTripper(node key.NodePublic) http.RoundTripper {
	return roundTripper{s, node}
}

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	answers := make(chan *http.Response, 1)
	if err := r.s.SendC2N(r.node, request, func(answer *http.Response) { answers <- answer }); err != nil {
		return nil, err
	}
	select {
	case <-request.Context().Done():
		return nil, request.Context().Err()
	case answer := <-answers:
		return answer, nil
	}
}
