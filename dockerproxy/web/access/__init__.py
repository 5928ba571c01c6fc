"""Who may call an admin handler.

permission.py   what an admin handler asks before it answers
sessions.py     who is logged in
login_codes.py  what the link bears that logs a browser in
own_token.py    the token that the proxy makes for itself
throttle.py     whoever guesses is slowed down
refusal.py      what he is answered meanwhile
insight.py      who is told the code of an error

known_credentials.py  credentials that were right; for the middleware basic_auth
"""
