"""A plugin of OctoPrint: at GET /api/plugin/snapshot_taker, OctoPrint takes a
snapshot as it does for a time-lapse, and the picture is the answer."""

import flask
import octoprint.plugin
from octoprint.webcams import get_snapshot_webcam


class SnapshotTaker(octoprint.plugin.SimpleApiPlugin):
    def on_api_get(self, request):
        webcam = get_snapshot_webcam()
        chunks = webcam.providerPlugin.take_webcam_snapshot(webcam.config.name)
        return flask.Response(b"".join(chunks), mimetype="image/jpeg")

    def is_api_protected(self):
        return True


__plugin_name__ = "Snapshot taker"
__plugin_pythoncompat__ = ">=3.7,<4"
__plugin_implementation__ = SnapshotTaker()
