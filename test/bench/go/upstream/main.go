// The one upstream of every Envoy that is measured: answers each request with the same chat completion, plain or as a
// stream of frames when the request asks for one. It reads HTTP/1.1 by hand and looks at no more than a body's first
// bytes, so that it is never what is measured. A stream leaves in four writes, the first with one frame; after a prompt
// that begins with `[hold N]` the second comes N milliseconds later. Prints its port; ends when its standard input does.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	words = "The weather is fine today, and it will be fine tomorrow, as far as anybody can say."
	usage = `"usage":{"prompt_tokens":400,"completion_tokens":60,"total_tokens":460}`
	// Of a body, what is looked at: `"stream":true` and `[hold N]` stand there.
	lookBytes = 512
	// A write a frame would make the upstream the slowest part.
	framesPerWrite = 7
	bufferBytes    = 64 << 10
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	plain, writes := plainReply(), streamedReply()
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "upstream:", err)
			os.Exit(1)
		}
		go serve(connection, plain, writes)
	}
}

// Answers what comes on one connection until it ends.
func serve(connection net.Conn, plain []byte, writes [][]byte) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, bufferBytes)
	for {
		start, err := readRequest(reader)
		if err != nil {
			return
		}
		if !bytes.Contains(start, []byte(`"stream":true`)) {
			if _, err := connection.Write(plain); err != nil {
				return
			}
			continue
		}
		for index, part := range writes {
			if _, err := connection.Write(part); err != nil {
				return
			}
			if index == 0 {
				time.Sleep(holdOf(start))
			}
		}
	}
}

// Reads one request to its end; returns the first bytes of its body.
func readRequest(reader *bufio.Reader) ([]byte, error) {
	length, chunked := 0, false
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return nil, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, found := strings.Cut(string(line), ":")
		if first || !found {
			continue
		}
		value = strings.TrimSpace(value)
		switch {
		case strings.EqualFold(name, "content-length"):
			if length, err = strconv.Atoi(value); err != nil {
				return nil, err
			}
		case strings.EqualFold(name, "transfer-encoding"):
			chunked = strings.EqualFold(value, "chunked")
		}
	}
	if !chunked {
		return readPart(reader, length, nil)
	}
	var start []byte
	for {
		line, err := reader.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			return nil, err
		}
		if start, err = readPart(reader, int(size), start); err != nil {
			return nil, err
		}
		if _, err := reader.Discard(len("\r\n")); err != nil {
			return nil, err
		}
		if size == 0 {
			return start, nil
		}
	}
}

func readPart(reader *bufio.Reader, size int, start []byte) ([]byte, error) {
	look := min(size, max(0, lookBytes-len(start)))
	seen, err := reader.Peek(look)
	if err != nil {
		return nil, err
	}
	start = append(start, seen...)
	_, err = reader.Discard(size)
	return start, err
}

func holdOf(start []byte) time.Duration {
	_, after, found := bytes.Cut(start, []byte("[hold "))
	number, _, closed := bytes.Cut(after, []byte("]"))
	milliseconds, err := strconv.Atoi(string(number))
	if !found || !closed || err != nil {
		return 0
	}
	return time.Duration(milliseconds) * time.Millisecond
}

func plainReply() []byte {
	body := fmt.Sprintf(
		`{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",`+
			`"content":%q},"finish_reason":"stop"}],%s}`, words, usage)
	return fmt.Appendf(nil,
		"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s", len(body), body)
}

// The head goes with the first frame, the end with the last.
func streamedReply() [][]byte {
	var events []string
	event := func(choices, more string) {
		events = append(events, fmt.Sprintf(
			`data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[%s]%s}`, choices, more))
	}
	for _, word := range strings.Split(words, " ") {
		event(fmt.Sprintf(`{"index":0,"delta":{"content":%q},"finish_reason":null}`, word+" "), "")
	}
	event(`{"index":0,"delta":{},"finish_reason":"stop"}`, "")
	event("", ","+usage)
	events = append(events, "data: [DONE]")
	writes := [][]byte{nil}
	for index, each := range events {
		if index%framesPerWrite == 1 {
			writes = append(writes, nil)
		}
		last := len(writes) - 1
		writes[last] = fmt.Appendf(writes[last], "%x\r\n%s\n\n\r\n", len(each)+2, each)
	}
	head := "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
	writes[0] = append([]byte(head), writes[0]...)
	last := len(writes) - 1
	writes[last] = append(writes[last], "0\r\n\r\n"...)
	return writes
}
