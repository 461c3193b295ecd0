"""The outbox: what is to be sent is stored with the change that asks for it, and sent after the commit."""
