#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A file server on 127.0.0.1 that can do what servers of weights do, and fail as they fail.

usage: weights_server.py FOLDER PORT_FILE

/ranges/NAME serves files of FOLDER and goes on where a download stopped; /whole/NAME cannot do that;
/breaks/NAME goes away in the middle of a whole file. LOG in FOLDER gets a line for each request:
the path and the first byte that was asked for.
"""
import http.server
import pathlib
import re
import sys

folder, port_file = map(pathlib.Path, sys.argv[1:])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        _, kind, name = self.path.split("/")
        first = int(re.sub(r"bytes=(\d+)-", r"\1", self.headers.get("Range", "bytes=0-")))
        with open(folder / "LOG", "a") as log:
            log.write(f"{self.path} {first}\n")
        file = folder / name
        if not file.exists():
            return self.send_error(404)
        data = file.read_bytes()
        first = 0 if kind == "whole" else first
        if first >= len(data):
            return self.send_error(416)
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        end = len(data) // 2 if kind == "breaks" else len(data)
        self.wfile.write(data[first:end])

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
fresh = port_file.with_suffix(".new")  # whoever waits for the file finds it whole
fresh.write_text(str(server.server_port))
fresh.rename(port_file)
server.serve_forever()
