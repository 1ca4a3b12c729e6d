"""Google's C core client against the service of ../echo-service.ts; prints what each call gave as one JSON object."""

import argparse
import json
import threading

import grpc

LIMIT_S = 60
OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]


def channel_to(arguments, compression=grpc.Compression.NoCompression):
    if arguments.authority is None:
        return grpc.insecure_channel(arguments.address, OPTIONS, compression)
    read = lambda path: None if path is None else open(path, "rb").read()
    credentials = grpc.ssl_channel_credentials(read(arguments.authority), read(arguments.key), read(arguments.certificate))
    return grpc.secure_channel(arguments.address, credentials, OPTIONS, compression)


def failure(call):
    try:
        call()
    except grpc.RpcError as error:
        return {"code": error.code().name, "details": error.details()}
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--authority")
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    seen = {}
    large = bytes(range(256)) * (8 << 12)

    with channel_to(arguments) as channel:
        echo = channel.unary_unary("/test.Echo/Unary")
        fail = channel.unary_unary("/test.Echo/Fail")
        hold = channel.unary_unary("/test.Echo/Hold")
        chat = channel.stream_stream("/test.Echo/Chat")

        seen["unary"] = echo(b"hello", timeout=LIMIT_S).decode()
        seen["empty"] = len(echo(b"", timeout=LIMIT_S))
        seen["large"] = echo(large, timeout=LIMIT_S) == large

        reply, call = echo.with_call(b"x", timeout=LIMIT_S, metadata=(("x-text", "a value"), ("x-data-bin", b"\x00\xff\x01")))
        trailers = dict(call.trailing_metadata())
        seen["metadata"] = [dict(call.initial_metadata()).get("x-text"), trailers.get("x-data-bin", b"").hex()]

        seen["failure"] = failure(lambda: fail(b"", timeout=LIMIT_S))
        seen["unimplemented"] = failure(lambda: channel.unary_unary("/test.Echo/Absent")(b"", timeout=LIMIT_S))["code"]
        seen["deadline"] = failure(lambda: hold(b"", timeout=0.2))["code"]

        held = hold.future(b"", timeout=LIMIT_S)
        held.cancel()
        seen["cancelled"] = held.code().name

        seen["chat"] = [reply.decode() for reply in chat(iter([b"a", b"b", b"c"]), timeout=LIMIT_S)]
        seen["chat large"] = [reply == large for reply in chat(iter([large, large]), timeout=LIMIT_S)]

        futures = [echo.future(str(number).encode(), timeout=LIMIT_S) for number in range(500)]
        seen["many"] = all(future.result() == str(number).encode() for number, future in enumerate(futures))

        ready = threading.Event()
        stream = chat(iter_until(ready), timeout=LIMIT_S)
        first = next(stream)
        stream.cancel()
        ready.set()
        seen["stream cancelled"] = [first.decode(), stream.code().name]

    with channel_to(arguments, grpc.Compression.Gzip) as channel:
        echo = channel.unary_unary("/test.Echo/Unary")
        chat = channel.stream_stream("/test.Echo/Chat")
        seen["gzip"] = echo(large, timeout=LIMIT_S) == large
        seen["gzip chat"] = [reply == large for reply in chat(iter([large]), timeout=LIMIT_S)]
    print(json.dumps(seen))


def iter_until(event):
    yield b"first"
    event.wait(LIMIT_S)


main()
