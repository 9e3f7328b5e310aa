#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A network camera for tests: rtsp://127.0.0.1:PORT/camera, 320x240 at 25 frames a second in H.264.

usage: rtsp_server.py PORT_FILE [PORT]     PORT 0 (default) takes a free one; PORT_FILE tells which.
"""
import pathlib
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

Gst.init(None)
server = GstRtspServer.RTSPServer.new()
server.set_address("127.0.0.1")
server.set_service(sys.argv[2] if len(sys.argv) > 2 else "0")
factory = GstRtspServer.RTSPMediaFactory.new()
factory.set_launch(
    "( videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 ! rtph264pay name=pay0 )")
server.get_mount_points().add_factory("/camera", factory)
server.attach(None)
port_file = pathlib.Path(sys.argv[1])
fresh = port_file.with_suffix(".new")  # whoever waits for the file finds it whole
fresh.write_text(str(server.get_bound_port()))
fresh.rename(port_file)
GLib.MainLoop().run()
