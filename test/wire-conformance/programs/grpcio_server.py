"""Google's C core server with the methods of ../echo-service.ts, all replies compressed with gzip; prints its port."""

import argparse
import json
import signal
import threading
from concurrent import futures

import grpc

OPTIONS = [("grpc.max_receive_message_length", 64 << 20), ("grpc.max_send_message_length", 64 << 20)]
cancels = threading.Semaphore(0)


def unary(request, context):
    sent = dict(context.invocation_metadata())
    context.send_initial_metadata(tuple((key, sent[key]) for key in ("x-text",) if key in sent))
    context.set_trailing_metadata(tuple((key, sent[key]) for key in ("x-data-bin",) if key in sent))
    return request


def fail(_request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: é")


def hold(_request, context):
    over = threading.Event()
    context.add_callback(lambda: (over.set(), cancels.release()))
    over.wait(60)
    return b""


def cancelled(_request, _context):
    return b"1" if cancels.acquire(timeout=30) else b"0"


def chat(requests, _context):
    for request in requests:
        yield request


class Methods(grpc.GenericRpcHandler):
    handlers = {
        "/test.Echo/Unary": grpc.unary_unary_rpc_method_handler(unary),
        "/test.Echo/Fail": grpc.unary_unary_rpc_method_handler(fail),
        "/test.Echo/Hold": grpc.unary_unary_rpc_method_handler(hold),
        "/test.Echo/Cancelled": grpc.unary_unary_rpc_method_handler(cancelled),
        "/test.Echo/Chat": grpc.stream_stream_rpc_method_handler(chat),
    }

    def service(self, details):
        return self.handlers.get(details.method)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    arguments = parser.parse_args()
    server = grpc.server(futures.ThreadPoolExecutor(16), (Methods(),), options=OPTIONS, compression=grpc.Compression.Gzip)
    if arguments.certificate is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        pair = (open(arguments.key, "rb").read(), open(arguments.certificate, "rb").read())
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
    server.start()
    print(json.dumps({"event": "ready", "port": port}), flush=True)
    signal.signal(signal.SIGTERM, lambda *_: server.stop(0))
    server.wait_for_termination()


main()
