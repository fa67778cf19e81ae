// The least that an external processor of Envoy can be, in Go: it answers every message and changes nothing. What the
// hop itself costs, to set our door's cost beside. It is for the processing mode of compiler/envoy/http-filters.ts: a
// request's body comes BUFFERED, a reply's FULL_DUPLEX_STREAMED, whose chunks must be sent back to go on.
//
// It ends when its standard input does.
//
//	echo SOCKET
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
)

// As in our door: with gRPC's usual 64 KiB, a large body waits for window updates.
const (
	streamWindowBytes     = 1 << 20
	connectionWindowBytes = 16 << 20
	messageBytesMax       = 64 << 20
)

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func serve() error {
	if len(os.Args) != 2 {
		return fmt.Errorf("usage: echo SOCKET")
	}
	listener, err := net.Listen("unix", os.Args[1])
	if err != nil {
		return err
	}
	server := grpc.NewServer(
		grpc.InitialWindowSize(streamWindowBytes),
		grpc.InitialConnWindowSize(connectionWindowBytes),
		grpc.MaxRecvMsgSize(messageBytesMax),
		grpc.MaxSendMsgSize(messageBytesMax),
	)
	extproc.RegisterExternalProcessorServer(server, processor{})
	fmt.Println(os.Args[1])
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return server.Serve(listener)
}

type processor struct {
	extproc.UnimplementedExternalProcessorServer
}

// One answer to each message, then Envoy's half-close; ending first would fail requests.
func (processor) Process(stream extproc.ExternalProcessor_ProcessServer) error {
	for {
		message, err := stream.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := answerTo(message)
		if err != nil {
			return err
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
}

func answerTo(message *extproc.ProcessingRequest) (*extproc.ProcessingResponse, error) {
	switch request := message.Request.(type) {
	case *extproc.ProcessingRequest_RequestHeaders:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_RequestHeaders{RequestHeaders: &extproc.HeadersResponse{}},
		}, nil
	case *extproc.ProcessingRequest_RequestBody:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_RequestBody{RequestBody: &extproc.BodyResponse{}},
		}, nil
	case *extproc.ProcessingRequest_RequestTrailers:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_RequestTrailers{RequestTrailers: &extproc.TrailersResponse{}},
		}, nil
	case *extproc.ProcessingRequest_ResponseHeaders:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_ResponseHeaders{ResponseHeaders: &extproc.HeadersResponse{}},
		}, nil
	case *extproc.ProcessingRequest_ResponseBody:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_ResponseBody{ResponseBody: sameChunk(request.ResponseBody)},
		}, nil
	case *extproc.ProcessingRequest_ResponseTrailers:
		return &extproc.ProcessingResponse{
			Response: &extproc.ProcessingResponse_ResponseTrailers{ResponseTrailers: &extproc.TrailersResponse{}},
		}, nil
	default:
		return nil, fmt.Errorf("a message of a kind that is not known: %T", request)
	}
}

func sameChunk(body *extproc.HttpBody) *extproc.BodyResponse {
	return &extproc.BodyResponse{
		Response: &extproc.CommonResponse{
			BodyMutation: &extproc.BodyMutation{
				Mutation: &extproc.BodyMutation_StreamedResponse{
					StreamedResponse: &extproc.StreamedBodyResponse{Body: body.Body, EndOfStream: body.EndOfStream},
				},
			},
		},
	}
}
