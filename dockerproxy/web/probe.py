"""Probe: whether somebody listens at an address. It connects, and sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dockerproxy.control.reach import Address

PATIENCE = 1.0  # seconds; whoever asks sits in front of it
_MOST = 32  # addresses


async def failures(addresses: Sequence[Address]) -> dict[Address, str]:
    """Why no connection could be made, for those where none could."""
    tried = addresses[:_MOST]
    found = await asyncio.gather(*(_failure(host, port) for host, port in tried))
    return {address: failure for address, failure in zip(tried, found, strict=True) if failure}


async def _failure(host: str, port: int) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return f"no connection within {PATIENCE:g} s"
    except ConnectionRefusedError:
        return "connection refused"
    except OSError as error:
        return (error.strerror or str(error)).lower()
    writer.close()
    return ""
