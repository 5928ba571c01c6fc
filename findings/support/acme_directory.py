"""Directory: an ACME server (RFC 8555) in memory, as much of it as a finding needs.

It speaks through requests' own door for transports, so nothing is listened on.
"""

import base64
import io
import itertools
import json

import requests
from acme import client
from cryptography.hazmat.primitives.asymmetric import rsa
from josepy import JWKRSA

BASE = "http://acme.test"


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Directory(requests.adapters.BaseAdapter):
    """
    answers:  path -> status, fields, document
    payloads: what was sent, by path
    """

    def __init__(self, answers):
        super().__init__()
        self.answers = answers
        self.payloads = {}
        self._nonces = itertools.count()

    def send(self, request, **_):
        path = request.url.removeprefix(BASE)
        status, fields, document = self.answers.get(path, (200, {}, {}))
        if request.body:
            self.payloads[path] = decoded(json.loads(request.body)["payload"])
        if path == "/acct" and "externalAccountBinding" in json.loads(self.payloads[path]):
            # RFC 8555 section 7.3.4: the server tells the binding again.
            document = {**document, "externalAccountBinding": json.loads(self.payloads[path])["externalAccountBinding"]}
        answer = requests.Response()
        answer.status_code, answer.url, answer.request = status, request.url, request
        nonce = f"nonce{next(self._nonces):011}"
        answer.headers.update({"Replay-Nonce": nonce, "Content-Type": "application/json", **fields})
        answer.raw = io.BytesIO(json.dumps(document).encode())
        return answer

    def close(self):
        pass


def connected(answers):
    """A client with a key of its own, and the directory that it speaks to."""
    directory = Directory({"/dir": (200, {}, {name: f"{BASE}/{path}" for name, path in _PLACES.items()}), **answers})
    network = client.ClientNetwork(JWKRSA(key=rsa.generate_private_key(65537, 2048)))
    network.session.mount("http://", directory)
    return client.ClientV2(client.ClientV2.get_directory(f"{BASE}/dir", network), network), directory


_PLACES = {"newNonce": "nonce", "newAccount": "acct", "newOrder": "order", "revokeCert": "revoke", "keyChange": "key"}
ACCOUNT = {
    "/acct": (201, {"Location": f"{BASE}/acct/1"}, {"status": "valid"}),
    "/acct/1": (200, {}, {"status": "valid"}),
}
