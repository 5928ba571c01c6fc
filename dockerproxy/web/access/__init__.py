"""Who may call an admin handler.

permission.py   what an admin handler asks before it answers
own_token.py    the token that the proxy makes for itself
error_reasons.py  who is told the code of an error
"""
