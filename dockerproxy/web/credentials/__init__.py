"""Who is logged in, and who guesses; what `web.access` goes by.

sessions.py     who is logged in
login_codes.py  what the link bears that logs a browser in
throttle.py     whoever guesses is slowed down
refusal.py      what he is answered meanwhile

known_credentials.py  credentials that were right; for the middleware basic_auth
"""
