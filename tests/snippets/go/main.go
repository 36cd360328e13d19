// The Go snippet for tests/system/test_fence_snippets.py, which has the protocol.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"time"

	"fencedcache"
)

type options struct {
	Port               int
	Username, Password string
	Scripts            string
	HoldMS             int `json:"hold_ms"`
	MaxFillMS          int `json:"max_fill_ms"`
	LeaseMS            int `json:"lease_ms"`
}

// What comes in, a question or what load shall return, and what goes out.
type message struct {
	Key    string `json:"key,omitempty"`
	Beside string `json:"beside,omitempty"`
	TTL    int    `json:"ttl_ms,omitempty"`
	Value  string `json:"value,omitempty"`
	Fail   string `json:"fail,omitempty"`
}

var (
	in  = json.NewDecoder(bufio.NewReader(os.Stdin))
	out = json.NewEncoder(os.Stdout)
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func load(context.Context) ([]byte, error) {
	must(out.Encode(map[string]bool{"load": true}))
	var found message
	must(in.Decode(&found))
	if found.Fail != "" {
		return nil, errors.New(found.Fail)
	}
	return hex.DecodeString(found.Value)
}

func answer(cache *fencedcache.Cache, ask message) (string, error) {
	key, err := hex.DecodeString(ask.Key)
	must(err)
	if ask.Beside != "" {
		return fencedcache.Beside(ask.Beside, string(key)), nil
	}
	got, err := cache.Get(context.Background(), string(key), time.Duration(ask.TTL)*time.Millisecond, load)
	return string(got), err
}

func main() {
	var o options
	must(json.Unmarshal([]byte(os.Args[1]), &o))
	client, err := dial(o.Port, o.Username, o.Password)
	must(err)
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	cache, err := fencedcache.New[result](client, os.DirFS(o.Scripts),
		fencedcache.Options{Hold: ms(o.HoldMS), MaxFill: ms(o.MaxFillMS), Lease: ms(o.LeaseMS)})
	must(err)
	for {
		var ask message
		if in.Decode(&ask) != nil {
			return
		}
		if got, err := answer(cache, ask); err != nil {
			must(out.Encode(map[string]string{"error": err.Error()}))
		} else {
			must(out.Encode(map[string]string{"got": hex.EncodeToString([]byte(got))}))
		}
	}
}
