#!/usr/bin/env bash
# acme 5.9.0 (josepy 2.2.0): a challenge that is answered with `{}` is not answered, and nobody says so.
#
# RFC 8555 section 7.5.1 has a challenge answered with an empty JSON object. A response object without fields of its
# own, as one writes for tls-alpn-01, which the library does not know, is *false*, so that it goes out without any
# body: a POST-as-GET, which only asks for the challenge. The server says 200 and "pending", and the order stays as it
# is. `KeyAuthorizationChallengeResponse` is true, for it has a field, though it is written `{}` as well.
#
# Seen:    ChallengeResponse: bool False, written {}, sent b'': pending
#          KeyAuthorizationChallengeResponse: bool True, written {}, sent b'{}': pending
# Matters: for whoever adds a challenge to the library.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
python_with acme==5.9.0 josepy==2.2.0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$(dirname "$0")/support" "$python" - <<'PYTHON'
import sys
from acme import challenges, messages
from acme_directory import ACCOUNT, BASE, connected

CHALLENGE = {"type": "tls-alpn-01", "url": f"{BASE}/chall", "token": "dG9rZW4tdG9rZW4tdG9rZW4", "status": "pending"}
client, directory = connected({**ACCOUNT, "/chall": (200, {"Link": f'<{BASE}/authz>;rel="up"'}, CHALLENGE)})
client.new_account(messages.NewRegistration(terms_of_service_agreed=True))
challenge = messages.ChallengeBody.from_json(CHALLENGE)
seen = []
for response in (
    challenges.ChallengeResponse(),
    challenges.KeyAuthorizationChallengeResponse(key_authorization="token.thumbprint"),
):
    status = client.answer_challenge(challenge, response).body.status.name
    sent = directory.payloads["/chall"]
    print(f"{type(response).__name__}: bool {bool(response)}, written {response.json_dumps()}, sent {sent!r}: {status}")
    seen.append(sent)
sys.exit(seen != [b"", b"{}"])
PYTHON
