"""Who may call an admin handler.

permission.py  what an admin handler asks before it answers
  sessions.py  who is logged in
  login_codes.py  what the link bears that logs a browser in
  throttle.py  whoever guesses is slowed down
insight.py     who is told the code of an error
"""
