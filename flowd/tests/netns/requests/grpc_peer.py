"""A gRPC server, or a client that tells as JSON what it asked for and what it got: `grpc_peer.py serve|ask ADDRESS`."""

import json
import sys
from concurrent import futures

import grpc


def unary(request, context):
    return request


def refuse(request, context):
    # Nothing was sent before: the status is in the only header block, "trailers-only".
    context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")


def count(request, context):
    for _ in range(int(request)):
        yield b"x" * 100


def total(requests, context):
    return str(sum(1 for _ in requests)).encode()


def echo(requests, context):
    for request in requests:
        yield request
    # Behind what was sent: the status is in the trailers.
    context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "enough")


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Total": grpc.stream_unary_rpc_method_handler(total),
    "Echo": grpc.stream_stream_rpc_method_handler(echo),
}


def serve(address):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("flowd.Test", HANDLERS)])
    server.add_insecure_port(address)
    server.start()
    server.wait_for_termination()


def ask(address):
    told = {}

    def call(method, work):
        try:
            work()
            code = 0
        except grpc.RpcError as error:
            code = error.code().value[0]
        key = f"{method} {code}"
        told[key] = told.get(key, 0) + 1

    # A channel is a connection.
    for _ in range(4):
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(address, options=options) as channel:
            path = "/flowd.Test/{}".format
            for _ in range(20):
                call("Unary", lambda: channel.unary_unary(path("Unary"))(b"hello"))
                call("Refuse", lambda: channel.unary_unary(path("Refuse"))(b"hello"))
                call("Absent", lambda: channel.unary_unary(path("Absent"))(b"hello"))
            for _ in range(5):
                call("Count", lambda: list(channel.unary_stream(path("Count"))(b"10")))
                call("Total", lambda: channel.stream_unary(path("Total"))(iter([b"a"] * 10)))
                call("Echo", lambda: list(channel.stream_stream(path("Echo"))(iter([b"a"] * 10))))
            # Many at once on the one connection.
            several = [channel.unary_unary(path("Unary")).future(b"hello") for _ in range(20)]
            for one in several:
                call("Unary", one.result)
    print(json.dumps(told))


{"serve": serve, "ask": ask}[sys.argv[1]](sys.argv[2])
