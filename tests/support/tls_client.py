"""A Client that speaks TLS, and sees whether the proxy says goodbye before it closes."""

from __future__ import annotations

import asyncio
import socket
import ssl

from .client import Client
from .waiting import DEADLINE


class TlsClient(Client):
    """One connection over TLS; `farewell` is whether the proxy has closed it in due form (RFC 8446 section 6.1)."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, name: str | None) -> None:
        super().__init__(sock)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=name)
        self.farewell = False

    @classmethod
    async def shake(
        cls, port: int, context: ssl.SSLContext, name: str | None = "localhost", *, receive_buffer: int = 0
    ) -> TlsClient:
        """Connect and shake hands. Raises ssl.SSLError, or ConnectionError when the proxy ends it."""
        plain = await Client.connect(port, receive_buffer=receive_buffer)
        client = cls(plain.sock, context, name)
        while True:
            try:
                client.tls.do_handshake()
            except ssl.SSLWantReadError:
                await client._flush()
                await client._feed()
            else:
                await client._flush()
                return client

    @property
    def names(self) -> set[str]:
        """The names in the certificate that the proxy showed."""
        shown = self.tls.getpeercert()
        assert shown is not None
        return {str(entry[1]) for entry in shown["subjectAltName"]}

    async def send(self, data: bytes) -> None:
        self.tls.write(data)
        await self._flush()

    async def say_goodbye(self) -> None:
        """Tell the proxy that no more is sent."""
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            await self._flush()

    async def _receive(self) -> bytes:
        while True:
            try:
                data = self.tls.read(1 << 18)
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError) as error:
                self.farewell = isinstance(error, ssl.SSLZeroReturnError)
                return b""
            else:
                self.farewell = not data
                return data

    async def skip(self, count: int) -> None:
        await self.exactly(count)

    async def _flush(self) -> None:
        async with asyncio.timeout(DEADLINE):
            await self._loop.sock_sendall(self.sock, self._out.read())

    async def _feed(self) -> None:
        async with asyncio.timeout(DEADLINE):
            data = await self._loop.sock_recv(self.sock, 1 << 18)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
