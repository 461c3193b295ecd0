"""Refused requests, and the HTTP answer each becomes."""
