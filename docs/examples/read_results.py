#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Prints the verdict of each frame: the element messages of uadinfer, read from Python.

  docs/examples/read_results.py 'v4l2src ! videoconvert ! uadinfer model=part.uad ! fakesink'
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

Gst.init(None)
pipeline = Gst.parse_launch(sys.argv[1])
pipeline.set_state(Gst.State.PLAYING)
bus = pipeline.get_bus()
wanted = Gst.MessageType.ELEMENT | Gst.MessageType.ERROR | Gst.MessageType.EOS
while (message := bus.timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)).type != Gst.MessageType.EOS:
    if message.type == Gst.MessageType.ERROR:
        sys.exit(message.parse_error()[0].message)
    result = message.get_structure()
    if result.get_name() == "uad-result":
        print(result.get_value("frame"), result.get_value("utc"), result.get_value("verdict"),
              f"{result.get_value('score'):.4g}", flush=True)
pipeline.set_state(Gst.State.NULL)
