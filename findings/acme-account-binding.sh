#!/usr/bin/env bash
# acme 5.9.0 (josepy 2.2.0): an account with an external binding can be made, but not asked for or changed afterwards.
#
# RFC 8555 section 7.3.4: the server tells the binding in the account that it answers with. `new_account` takes it
# into the `RegistrationResource`, frozen; `query_registration`, `update_registration` and `deactivate_registration`
# write that account again, and raise TypeError ("… is not JSON serializable"). Without the binding in the body they
# work.
#
# Seen:    query_registration: TypeError frozendict … is not JSON serializable
#          deactivate_registration: TypeError frozendict … is not JSON serializable
#          without the binding: valid
# Matters: what is kept of an account is its address and key, never the body that the server answered with.
set -euo pipefail
source "$(dirname "$0")/support/python.sh"
python_with acme==5.9.0 josepy==2.2.0
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$(dirname "$0")/support" "$python" - <<'PYTHON'
import base64, sys
from acme import messages
from acme_directory import ACCOUNT, connected

client, _ = connected(ACCOUNT)
binding = messages.ExternalAccountBinding.from_data(
    account_public_key=client.net.key.public_key(),
    kid="kid-1",
    hmac_key=base64.urlsafe_b64encode(bytes(32)).decode(),
    directory=client.directory,
)
account = client.new_account(
    messages.NewRegistration(terms_of_service_agreed=True, external_account_binding=binding)
)
failed = 0
for ask in (client.query_registration, client.deactivate_registration):
    try:
        ask(account)
    except TypeError as error:
        failed += 1
        print(f"{ask.__name__}: TypeError {str(error)[:10]} … {str(error)[-28:]}")
without = account.update(body=account.body.update(external_account_binding=None))
print("without the binding:", client.query_registration(without).body.status)
sys.exit(failed != 2)
PYTHON
