"""A local Alpaca for demonstrations and tests: the vendor's own client cannot tell the difference in what it asks for.

Its book is its own: nothing of it is ours, and no table of ours is read. Everything runs in one event loop.
"""

HOST = "127.0.0.1"
KEY, SECRET = "FAKE-KEY", "fake-secret"
