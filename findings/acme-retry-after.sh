#!/usr/bin/env bash
# acme 5.9.0 (josepy 2.2.0): a server's "too many, come back tomorrow" arrives without the "tomorrow".
#
# A 429 with Retry-After (RFC 8555 section 6.6) becomes `messages.Error`, which keeps type and detail, but neither the
# status nor the answer's fields; the exception has no cause with them either. Whoever does not look below
# `ClientNetwork.post` cannot know when to try again, though the same library reads Retry-After where it polls an
# order.
#
# Seen:    rateLimited: 'too many'; Retry-After nowhere
# Matters: how long to wait after a refused order has to be read below the library.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
python_with acme==5.9.0 josepy==2.2.0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$(dirname "$0")/support" "$python" - <<'PYTHON'
import sys
from acme import messages
from acme_directory import ACCOUNT, connected
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PROBLEM = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many"}
FIELDS = {"Retry-After": "86400", "Content-Type": "application/problem+json"}
client, _ = connected({**ACCOUNT, "/order": (429, FIELDS, PROBLEM)})
client.new_account(messages.NewRegistration(terms_of_service_agreed=True))
names = x509.SubjectAlternativeName([x509.DNSName("blog.example")])
request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
signed = request.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
try:
    client.new_order(signed.public_bytes(serialization.Encoding.PEM))
except messages.Error as error:
    told = [repr(getattr(error, name, None)) for name in dir(error) if not name.startswith("__")]
    lost = not any("86400" in each for each in told) and error.__cause__ is None and error.__context__ is None
    print(f"{error.code}: {error.detail!r}; Retry-After {'nowhere' if lost else 'told'}")
    sys.exit(not lost)
sys.exit(1)
PYTHON
