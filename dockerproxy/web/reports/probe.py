"""Probe: whether somebody listens at an address, and speaks TLS just where that is expected. It sends no request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

from dockerproxy.control.explain.reachability import Address, Failure

PATIENCE = 1.0  # seconds; whoever asks sits in front of it
_AT_ONCE = 64  # connections; all that are tried have their answer within a few seconds
# What OpenSSL calls an answer that is no TLS at all; of another failure it is not certain what it means.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"})


async def failures(addresses: Sequence[Address]) -> dict[Address, Failure]:
    """Why no connection could be made, for those where none could."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def failure_of(address: Address) -> Failure | None:
        async with turns:
            return await _failure(address)

    found = await asyncio.gather(*map(failure_of, addresses))
    return {address: failure for address, failure in zip(addresses, found, strict=True) if failure is not None}


async def _failure(address: Address) -> Failure | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await _connect(address)
    except TimeoutError:
        return Failure(f"no connection within {PATIENCE:g} s")
    except ConnectionRefusedError:
        return Failure("connection refused")
    except OSError as error:
        return Failure((error.strerror or str(error)).lower())
    return await _tls_failure(address) if address.tls or address.doubted else None


async def _tls_failure(address: Address) -> Failure | None:
    try:
        async with asyncio.timeout(PATIENCE):
            await _connect(address, _context())
    except ssl.SSLError as error:
        if address.tls and error.reason in _NO_TLS:
            return Failure(error.reason.replace("_", " ").lower(), no_tls=True)
    except TimeoutError:
        if address.tls:
            return Failure(f"no handshake within {PATIENCE:g} s", no_tls=True)
    except OSError:  # it may want a certificate
        pass
    else:
        if not address.tls:
            return Failure("a handshake succeeds there", tls_only=True)
    return None


async def _connect(address: Address, context: ssl.SSLContext | None = None) -> None:
    _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    writer.close()


def _context() -> ssl.SSLContext:
    """For a handshake with anybody: nothing is sent, so that it does not matter who it is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
