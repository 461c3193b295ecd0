"""What script/setup, script/server and script/test do, with nothing but Python's standard library."""
