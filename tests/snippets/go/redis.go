package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
)

// connection is as much of a Redis client as the snippet needs, with the methods and answers of go-redis.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
}

type result struct {
	value interface{}
	err   error
}

func (r result) Result() (interface{}, error) { return r.value, r.err }

func dial(port int, username, password string) (*connection, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	c := &connection{conn, bufio.NewReader(conn)}
	if username != "" {
		err = c.do("AUTH", username, password).err
	}
	return c, err
}

func (c *connection) EvalSha(_ context.Context, sha1 string, keys []string, args ...interface{}) result {
	return c.script("EVALSHA", sha1, keys, args)
}

func (c *connection) Eval(_ context.Context, script string, keys []string, args ...interface{}) result {
	return c.script("EVAL", script, keys, args)
}

func (c *connection) script(command, script string, keys []string, args []interface{}) result {
	all := []interface{}{command, script, len(keys)}
	for _, key := range keys {
		all = append(all, key)
	}
	return c.do(append(all, args...)...)
}

func (c *connection) do(args ...interface{}) result {
	request := fmt.Sprintf("*%d\r\n", len(args))
	for _, arg := range args {
		text, isBytes := arg.([]byte)
		if !isBytes {
			text = []byte(fmt.Sprint(arg))
		}
		request += fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)
	}
	if _, err := io.WriteString(c.conn, request); err != nil {
		return result{err: err}
	}
	value, err := c.reply()
	return result{value, err}
}

func (c *connection) reply() (interface{}, error) {
	line, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], line[1:len(line)-2]
	switch kind {
	case '+':
		return rest, nil
	case '-':
		return nil, errors.New(rest)
	}
	n, err := strconv.ParseInt(rest, 10, 64)
	if err != nil || kind == ':' {
		return n, err
	}
	if n < 0 {
		return nil, nil
	}
	if kind == '$' {
		text := make([]byte, n+2)
		_, err = io.ReadFull(c.in, text)
		return string(text[:n]), err
	}
	list := make([]interface{}, n)
	for i := range list {
		if list[i], err = c.reply(); err != nil {
			return nil, err
		}
	}
	return list, nil
}
