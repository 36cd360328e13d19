// Package fencedcache reads a cache whose keys sluice fences (`mode: fence`): a fill never outlives a change that it did
// not see.
//
//	cache, err := fencedcache.New[*redis.Cmd](client, os.DirFS("snippets/redis"), fencedcache.Options{})
//	order, err := cache.Get(ctx, "order:17", time.Hour, func(ctx context.Context) ([]byte, error) { return readOrder(ctx, 17) })
//
// Made for go-redis v8 and v9: a Client, ClusterClient, Ring or UniversalClient of it is a Client of this package.
package fencedcache

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

const wait = 5 * time.Millisecond

// Cmd is what go-redis answers with.
type Cmd interface {
	Result() (interface{}, error)
}

// Client runs scripts. C is *redis.Cmd; Go 1.21 and newer finds that out by itself.
type Client[C Cmd] interface {
	EvalSha(ctx context.Context, sha1 string, keys []string, args ...interface{}) C
	Eval(ctx context.Context, script string, keys []string, args ...interface{}) C
}

// Options: Hold and MaxFill are hold_ms and max_fill_ms of the sink, 1 s and 60 s if they are 0. With Lease one reader of
// a key fills at a time, within that time; the others get what the key held before (old_ms of the sink), or wait for it.
type Options struct {
	Hold, MaxFill, Lease time.Duration
}

// Cache may be used by many goroutines at once.
type Cache struct {
	get, fill func(ctx context.Context, keys []string, args ...interface{}) (interface{}, error)
	options   Options
}

// New takes the scripts get.lua and fill.lua from a directory, or from what was embedded.
func New[C Cmd](client Client[C], scripts fs.FS, options Options) (*Cache, error) {
	if options.Hold == 0 {
		options.Hold = time.Second
	}
	if options.MaxFill == 0 {
		options.MaxFill = time.Minute
	}
	get, err := script(client, scripts, "get.lua")
	if err != nil {
		return nil, err
	}
	fill, err := script(client, scripts, "fill.lua")
	if err != nil {
		return nil, err
	}
	return &Cache{get, fill, options}, nil
}

func script[C Cmd](client Client[C], scripts fs.FS, name string) (
	func(context.Context, []string, ...interface{}) (interface{}, error), error) {
	text, err := fs.ReadFile(scripts, name)
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum(text)
	sha := hex.EncodeToString(sum[:])
	return func(ctx context.Context, keys []string, args ...interface{}) (interface{}, error) {
		reply, err := client.EvalSha(ctx, sha, keys, args...).Result()
		if err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
			reply, err = client.Eval(ctx, string(text), keys, args...).Result()
		}
		return reply, err
	}, nil
}

// Beside is the name of what stands beside a key, in one slot with it: "fence", "lease" or "old".
func Beside(kind, key string) string {
	_, behind, _ := strings.Cut(key, "{")
	if strings.Index(behind, "}") < 1 {
		key = "{" + key + "}"
	}
	return "sluice:" + kind + ":" + key
}

// Get returns the cached value, or what load returns, which is stored for ttl if it is safe. load reads the database, in
// no snapshot that is older than the call. An error of load or of Redis is returned; nothing is stored then.
func (c *Cache) Get(ctx context.Context, key string, ttl time.Duration,
	load func(context.Context) ([]byte, error)) ([]byte, error) {
	keys := []string{key, Beside("fence", key), Beside("lease", key), Beside("old", key)}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	text := hex.EncodeToString(random[:])
	hold, maxFill, lease := c.options.Hold.Milliseconds(), c.options.MaxFill.Milliseconds(), c.options.Lease.Milliseconds()
	for {
		reply, err := c.get(ctx, keys, text, hold, maxFill, lease)
		if err != nil {
			return nil, err
		}
		found, _ := reply.([]interface{})
		if len(found) == 1 {
			return bytes(found[0])
		}
		if len(found) != 5 {
			return nil, errors.New("fencedcache: get.lua is of another version")
		}
		token, settled, mine, old := found[1], found[2], found[3], found[4]
		if mine == int64(1) {
			value, err := load(ctx)
			if err == nil {
				_, err = c.fill(ctx, keys, token, settled, value, ttl.Milliseconds(), hold, text)
			}
			if err != nil {
				return nil, err
			}
			return value, nil
		}
		if old != nil {
			return bytes(old)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func bytes(reply interface{}) ([]byte, error) {
	switch value := reply.(type) {
	case string:
		return []byte(value), nil
	case []byte:
		return value, nil
	}
	return nil, fmt.Errorf("fencedcache: get.lua answered with %T", reply)
}
