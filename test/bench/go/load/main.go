// The load generator: so many connections, each with one request in flight, for so long. It speaks HTTP/1.1 by hand, to
// be as little as can be of what is measured. Options as JSON on standard input, the result as JSON on standard output.
// A reply counts as failed unless its status is 200 and every expected text stands in its body.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

type options struct {
	Port        int               `json:"port"`
	Path        string            `json:"path"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	Concurrency int               `json:"concurrency"`
	// How long to go on. What is in flight then is waited for and counted.
	Seconds float64 `json:"seconds"`
	// Of each connection; 0 is no limit.
	RequestsMax int      `json:"requestsMax"`
	Expect      []string `json:"expect"`
}

type result struct {
	Count  int `json:"count"`
	Failed int `json:"failed"`
	// The first ones, for people.
	Failures  []string `json:"failures"`
	PerSecond float64  `json:"perSecond"`
	// Milliseconds to a reply's end.
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	// Milliseconds to a reply's first body bytes, the median.
	First float64 `json:"first"`
	// Of this process's time, the share on a processor: near 1 the generator is what limits.
	Busy float64 `json:"busy"`
}

const (
	failuresShownMax = 5
	replyTimeMax     = 30 * time.Second
	bufferBytes      = 64 << 10
	bodyBytesMax     = 16 << 20
)

func main() {
	var asked options
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(run(asked)); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// What one connection saw.
type tally struct {
	latencies, firsts []time.Duration
	failures          []string
	failed            int
}

func run(asked options) result {
	request := requestBytes(asked)
	tallies := make([]tally, asked.Concurrency)
	began := time.Now()
	deadline := began.Add(time.Duration(asked.Seconds * float64(time.Second)))
	var group sync.WaitGroup
	for index := range tallies {
		group.Go(func() { tallies[index].fill(asked, request, deadline) })
	}
	group.Wait()
	return summary(tallies, time.Since(began))
}

func requestBytes(asked options) []byte {
	var head strings.Builder
	fmt.Fprintf(&head, "POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n", asked.Path)
	for name, value := range asked.Headers {
		fmt.Fprintf(&head, "%s: %s\r\n", name, value)
	}
	fmt.Fprintf(&head, "content-length: %d\r\n\r\n%s", len(asked.Body), asked.Body)
	return []byte(head.String())
}

func (seen *tally) fill(asked options, request []byte, deadline time.Time) {
	var open *connection
	defer func() { open.close() }()
	for count := 0; time.Now().Before(deadline) && (asked.RequestsMax == 0 || count < asked.RequestsMax); count++ {
		start := time.Now()
		reply, err := exchange(&open, asked.Port, request, start)
		if err == nil {
			seen.latencies = append(seen.latencies, time.Since(start))
			seen.firsts = append(seen.firsts, reply.first)
			err = judge(reply, asked.Expect)
		} else {
			open.close()
			open = nil
		}
		if err != nil {
			seen.failed++
			if len(seen.failures) < failuresShownMax {
				seen.failures = append(seen.failures, err.Error())
			}
			// A target that fails at once must not be asked a million times.
			time.Sleep(time.Millisecond)
		}
	}
}

func judge(reply reply, expected []string) error {
	shown := string(reply.body[:min(len(reply.body), 200)])
	if reply.status != 200 {
		return fmt.Errorf("status %d: %s", reply.status, shown)
	}
	for _, text := range expected {
		if !bytes.Contains(reply.body, []byte(text)) {
			return fmt.Errorf("the body lacks %q: %s", text, shown)
		}
	}
	return nil
}

func summary(tallies []tally, took time.Duration) result {
	var all tally
	for _, each := range tallies {
		all.latencies = append(all.latencies, each.latencies...)
		all.firsts = append(all.firsts, each.firsts...)
		all.failures = append(all.failures, each.failures...)
		all.failed += each.failed
	}
	slices.Sort(all.latencies)
	slices.Sort(all.firsts)
	replies := len(all.latencies)
	var used syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
	busy := time.Duration(used.Utime.Nano() + used.Stime.Nano())
	return result{
		Count:     replies,
		Failed:    all.failed,
		Failures:  append([]string{}, all.failures[:min(len(all.failures), failuresShownMax)]...),
		PerSecond: float64(replies) / took.Seconds(),
		P50:       quantile(all.latencies, 0.5),
		P99:       quantile(all.latencies, 0.99),
		First:     quantile(all.firsts, 0.5),
		Busy:      busy.Seconds() / took.Seconds(),
	}
}

func quantile(sorted []time.Duration, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := min(len(sorted)-1, int(float64(len(sorted))*share))
	return float64(sorted[at]) / float64(time.Millisecond)
}

type connection struct {
	socket net.Conn
	reader *bufio.Reader
	body   []byte
}

func (open *connection) close() {
	if open != nil {
		_ = open.socket.Close()
	}
}

type reply struct {
	status int
	// Valid until the next exchange.
	body  []byte
	first time.Duration
}

// One request and its reply, on a new connection where there is none.
func exchange(open **connection, port int, request []byte, start time.Time) (reply, error) {
	if *open == nil {
		socket, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return reply{}, err
		}
		*open = &connection{socket: socket, reader: bufio.NewReaderSize(socket, bufferBytes)}
	}
	via := *open
	if err := via.socket.SetDeadline(start.Add(replyTimeMax)); err != nil {
		return reply{}, err
	}
	if _, err := via.socket.Write(request); err != nil {
		return reply{}, err
	}
	got, closes, err := via.readReply(start)
	if closes {
		via.close()
		*open = nil
	}
	return got, err
}

func (via *connection) readReply(start time.Time) (got reply, closes bool, err error) {
	length, chunked := 0, false
	for first := true; ; first = false {
		line, err := via.reader.ReadSlice('\n')
		if err != nil {
			return got, true, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first {
			if len(line) < len("HTTP/1.1 200") {
				return got, true, fmt.Errorf("not a status line: %q", line)
			}
			if got.status, err = strconv.Atoi(string(line[9:12])); err != nil {
				return got, true, err
			}
			continue
		}
		if len(line) == 0 {
			break
		}
		name, value, _ := strings.Cut(string(line), ":")
		value = strings.TrimSpace(value)
		switch {
		case strings.EqualFold(name, "content-length"):
			if length, err = strconv.Atoi(value); err != nil {
				return got, true, err
			}
		case strings.EqualFold(name, "transfer-encoding"):
			chunked = strings.EqualFold(value, "chunked")
		case strings.EqualFold(name, "connection"):
			closes = strings.EqualFold(value, "close")
		}
	}
	via.body = via.body[:0]
	if !chunked {
		err = via.readPart(length, start, &got)
	} else {
		err = via.readChunks(start, &got)
	}
	got.body = via.body
	return got, closes || err != nil, err
}

func (via *connection) readChunks(start time.Time, got *reply) error {
	for {
		line, err := via.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 64)
		if err != nil {
			return err
		}
		if err := via.readPart(int(size), start, got); err != nil {
			return err
		}
		if _, err := via.reader.Discard(len("\r\n")); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (via *connection) readPart(size int, start time.Time, got *reply) error {
	at := len(via.body)
	if size < 0 || at+size > bodyBytesMax {
		return errors.New("a reply's body is too large")
	}
	via.body = slices.Grow(via.body, size)[:at+size]
	if _, err := io.ReadFull(via.reader, via.body[at:]); err != nil {
		return err
	}
	if got.first == 0 && size > 0 {
		got.first = time.Since(start)
	}
	return nil
}
