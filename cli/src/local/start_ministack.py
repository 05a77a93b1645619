# Starts MiniStack as `python -m ministack` does, but for one thing: its Runtime API answers a
# function in two pieces, headers and event, and Nagle's algorithm holds the second back until the
# function's kernel has acknowledged the first, which takes 40 ms, at every invocation. Lambda's own
# doesn't.
import runpy
import socketserver

socketserver.StreamRequestHandler.disable_nagle_algorithm = True
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
