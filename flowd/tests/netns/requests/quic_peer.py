"""A QUIC server, or a client that tells as JSON what each handshake came to: `quic_peer.py serve|ask ADDRESS PORT FOLDER`."""

import asyncio
import json
import ssl
import sys

from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration

HANDSHAKES = [("one.example", ["h3"], 0x00000001), ("two.example", ["doq", "h3"], 0x6B3343CF)]


async def server(address, port, folder):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(f"{folder}/certificate", f"{folder}/key")
    await serve(address, port, configuration=configuration)
    open(f"{folder}/ready", "w").close()
    await asyncio.Future()


async def client(address, port, _):
    told = []
    for name, alpn, version in HANDSHAKES:
        configuration = QuicConfiguration(
            alpn_protocols=alpn,
            server_name=name,
            verify_mode=ssl.CERT_NONE,
            original_version=version,
            supported_versions=[version],
        )
        async with connect(address, port, configuration=configuration) as protocol:
            await protocol.ping()
            told.append({"sni": name, "alpn": alpn, "chosen": protocol._quic.tls.alpn_negotiated})
    print(json.dumps(told))


role = {"serve": server, "ask": client}[sys.argv[1]]
asyncio.run(role(sys.argv[2], int(sys.argv[3]), sys.argv[4]))
